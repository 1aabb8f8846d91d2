//! The catalogue with other ids, other prices and another order: as it may look next year.

use std::{collections::BTreeMap, mem};

use bedrock_emulator::catalogue::{Catalogue, Price};

/// The same models under other names. Provider, tier, profiles, life and everything that a model can do
/// stay, and so does the form of the ids' ends (`-v1:0`), because clients have to encode them.
pub(crate) fn shuffled(mut catalogue: Catalogue, seed: u64) -> Catalogue {
    let mut dice = Dice(seed);
    let mut renamed = BTreeMap::new();
    for (number, model) in catalogue.models.iter_mut().enumerate() {
        let name = dice.name(number);
        let id = format!("{}.{name}{}", model.provider, version(&model.id));
        let before = mem::replace(&mut model.id, id.clone());
        renamed.insert(before, id);
        model.provider_id = name;
        model.price = dice.price(model.price);
    }
    for profile in &mut catalogue.application_profiles {
        if let Some(id) = renamed.get(&profile.model) {
            profile.model.clone_from(id);
        }
    }
    for last in (1..catalogue.models.len()).rev() {
        catalogue.models.swap(last, dice.index(last + 1));
    }
    catalogue
}

/// How an id ends: `-v1:0`, `-v1`, or with nothing of that kind.
fn version(id: &str) -> &str {
    let Some((name, last)) = id.rsplit_once("-v") else {
        return "";
    };
    let number = |c: char| c.is_ascii_digit() || c == ':';
    if last.chars().all(number) {
        &id[name.len()..]
    } else {
        ""
    }
}

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound.max(1))).unwrap_or_default()
    }

    fn index(&mut self, length: usize) -> usize {
        let bound = u32::try_from(length).unwrap_or(u32::MAX);
        usize::try_from(self.below(bound)).unwrap_or_default()
    }

    /// A name that no model ever had.
    fn name(&mut self, number: usize) -> String {
        const WORDS: [&str; 8] = [
            "amber", "basalt", "cobalt", "dune", "ember", "fjord", "garnet", "heron",
        ];
        let mut word = || WORDS[self.index(WORDS.len())];
        let (first, second) = (word(), word());
        format!("{first}-{second}-{}", 10 + number)
    }

    /// Between half and nearly twice the price, each part by itself: tiers stay apart.
    fn price(&mut self, price: Price) -> Price {
        let mut other = |part: u32| match part {
            0 => 0,
            part => (part.saturating_mul(50 + self.below(140)) / 100).max(1),
        };
        Price {
            input: other(price.input),
            output: other(price.output),
            cache_write: other(price.cache_write),
            cache_write_1h: other(price.cache_write_1h),
            cache_read: other(price.cache_read),
            ..price
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bedrock_emulator::catalogue::Catalogue;

    use super::{shuffled, version};

    fn built_in() -> Catalogue {
        Catalogue::built_in().unwrap()
    }

    #[test]
    fn the_end_of_an_id_is_its_version() {
        for (id, wanted) in [
            ("a.b-1-v1:0", "-v1:0"),
            ("a.b-v2:1", "-v2:1"),
            ("a.b-v2", "-v2"),
            ("a.b-5-5", ""),
            ("a.b-very", ""),
        ] {
            assert_eq!(version(id), wanted, "{id}");
        }
    }

    #[test]
    fn ids_prices_and_order_are_others_and_the_rest_is_not() {
        let (before, after) = (built_in(), shuffled(built_in(), 7));
        let ids = |c: &Catalogue| c.models.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
        let (old, new) = (ids(&before), ids(&after));
        assert_eq!(old.len(), new.iter().collect::<BTreeSet<_>>().len());
        assert!(new.iter().all(|id| !old.contains(id)));

        let names = |c: &Catalogue| c.models.iter().map(|m| m.name.clone()).collect::<Vec<_>>();
        assert_ne!(names(&before), names(&after));
        let sorted = |c| names(c).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(sorted(&before), sorted(&after));

        for tier in ["haiku", "sonnet", "opus"] {
            let (old, new) = (
                before.by_alias(tier).unwrap(),
                after.by_alias(tier).unwrap(),
            );
            assert_eq!(
                (&old.name, &old.node, &old.profiles),
                (&new.name, &new.node, &new.profiles)
            );
            assert_ne!(old.price, new.price, "{tier}");
            assert!(
                after
                    .id_to_call(tier, "us-east-1")
                    .is_some_and(|id| id.ends_with(&new.id))
            );
        }
        for profile in &after.application_profiles {
            assert!(after.model(&profile.model).is_some(), "{profile:?}");
        }
        assert_eq!(shuffled(built_in(), 7), after);
        assert_ne!(shuffled(built_in(), 8), after);
    }
}
