//! What `workshop verify` changes about every lab of a run, to prove that no test depends on it.
//!
//! It speaks through variables, because it runs the very test programs that students get:
//!
//! ```sh
//! WORKSHOP_SCRAMBLE=7 cargo test -p ex001
//! ```

mod catalogue;

use std::{env, sync::LazyLock};

use bedrock_emulator::{Config, catalogue::Catalogue};

/// Models answer random words of many scripts instead of their own. The value is the seed.
const SCRAMBLE: &str = "WORKSHOP_SCRAMBLE";

/// The models have other ids and prices and stand in another order. The value is the seed.
const SHUFFLE: &str = "WORKSHOP_SHUFFLE";

/// What is different in this process; usually nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Trial {
    scramble: Option<u64>,
    shuffle: Option<u64>,
}

impl Trial {
    /// As the environment says.
    pub(crate) fn of_this_run() -> Self {
        static TRIAL: LazyLock<Trial> = LazyLock::new(|| Trial {
            scramble: seed(SCRAMBLE, env::var(SCRAMBLE).ok()),
            shuffle: seed(SHUFFLE, env::var(SHUFFLE).ok()),
        });
        *TRIAL
    }

    /// Changes what a lab starts with. What a test has scripted stays: those are the test's words, and
    /// no model's.
    pub(crate) fn change(self, config: &mut Config) {
        if let Some(seed) = self.scramble {
            config.scramble = true;
            config.seed = seed;
        }
    }

    /// The models of this run.
    pub(crate) fn catalogue(self, built_in: Catalogue) -> Catalogue {
        match self.shuffle {
            Some(seed) => catalogue::shuffled(built_in, seed),
            None => built_in,
        }
    }
}

/// A variable that is empty is not set.
fn seed(name: &str, value: Option<String>) -> Option<u64> {
    let value = value.filter(|value| !value.is_empty())?;
    let seed = value.parse();
    Some(seed.unwrap_or_else(|_| panic!("{name} is {value:?}; it takes a whole number, the seed")))
}

#[cfg(test)]
mod tests {
    use bedrock_emulator::Config;

    use super::{SCRAMBLE, Trial, seed};

    #[test]
    fn a_run_is_usually_no_trial() {
        let mut config = Config::default();
        Trial::default().change(&mut config);
        assert!(!config.scramble);
        for unset in [None, Some(String::new())] {
            assert_eq!(seed(SCRAMBLE, unset), None);
        }
    }

    #[test]
    fn a_seed_chooses_the_words() {
        let mut config = Config::default();
        let scramble = seed(SCRAMBLE, Some("7".to_owned()));
        let trial = Trial {
            scramble,
            shuffle: None,
        };
        trial.change(&mut config);
        assert_eq!((config.scramble, config.seed), (true, 7));
    }

    #[test]
    #[should_panic(expected = "WORKSHOP_SCRAMBLE is \"yes\"; it takes a whole number")]
    fn anything_else_is_named() {
        seed(SCRAMBLE, Some("yes".to_owned()));
    }
}
