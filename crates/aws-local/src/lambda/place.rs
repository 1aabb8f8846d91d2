//! Where a function is, and the many ways to name it.

use bedrock_emulator::{error::ApiError, neighbour::Visit};

use super::error::{another_region, constraint, invalid};

/// A function's account, region and name: what tells it from every other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) name: String,
}

impl Place {
    /// The unqualified ARN.
    pub(super) fn arn(&self) -> String {
        let Self {
            account,
            region,
            name,
        } = self;
        format!("arn:aws:lambda:{region}:{account}:function:{name}")
    }
}

/// A function, and the version or alias that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) place: Place,
    pub(super) qualifier: Option<String>,
}

/// The one version there is.
pub(super) const LATEST: &str = "$LATEST";

/// As the service model tells it.
const PATTERN: &str = "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?\
                       (function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";

impl Reference {
    /// A name, a partial ARN (`123456789012:function:ask`) or an ARN, each with a qualifier perhaps.
    pub(super) fn parse(text: &str, account: &str, region: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (before, rest) = match parts.iter().position(|part| *part == "function") {
            Some(at) => (&parts[..at], &parts[at + 1..]),
            None => (&parts[..0], &parts[..]),
        };
        let (region, account) = match before {
            [] => (region, account),
            [account] => (region, *account),
            [region, account] | ["arn", _, "lambda", region, account] => (*region, *account),
            _ => return None,
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let named = !name.is_empty() && name.len() <= 64 && name.chars().all(plain);
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let good = qualifier
            .is_none_or(|text| text == LATEST || !text.is_empty() && text.chars().all(plain));
        (named && digits && good).then(|| Self {
            place: Place {
                account: account.to_owned(),
                region: region.to_owned(),
                name: name.to_owned(),
            },
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// The function that a request names, with the qualifier of its query.
    pub(super) fn of(visit: &Visit, text: &str) -> Result<Self, ApiError> {
        let found = Self::parse(text, &visit.account, &visit.region);
        let mut found = found.ok_or_else(|| {
            let rule = format!("satisfy regular expression pattern: {PATTERN}");
            constraint(text, "functionName", &rule)
        })?;
        if found.place.region != visit.region {
            return Err(another_region(&found.place.region, &visit.region));
        }
        let asked = visit.query("Qualifier").filter(|text| !text.is_empty());
        if let (Some(asked), Some(named)) = (&asked, &found.qualifier)
            && asked != named
        {
            return Err(invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        found.qualifier = asked.or(found.qualifier);
        Ok(found)
    }

    /// With the qualifier, if there is one.
    pub(super) fn arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.place.arn()),
            None => self.place.arn(),
        }
    }

    /// Whether it means what there is: functions have no versions or aliases here.
    pub(super) fn is_latest(&self) -> bool {
        self.qualifier.as_deref().is_none_or(|text| text == LATEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        Reference::parse(text, "123456789012", "us-east-1")
            .map_or_else(String::new, |reference| reference.arn())
    }

    #[test]
    fn a_function_has_many_names() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:ask";
        for name in ["ask", "function:ask", "123456789012:function:ask", arn] {
            assert_eq!(told(name), arn, "{name}");
            assert_eq!(told(&format!("{name}:$LATEST")), format!("{arn}:$LATEST"));
            assert_eq!(told(&format!("{name}:live")), format!("{arn}:live"));
        }
        assert_eq!(
            told("eu-west-1:210987654321:function:ask"),
            "arn:aws:lambda:eu-west-1:210987654321:function:ask"
        );
        let long = "x".repeat(65);
        for wrong in [
            "",
            "a b",
            "a.b",
            ":",
            "a:b:c",
            "arn:aws:sqs:us-east-1:1:function:a",
            &long,
        ] {
            assert_eq!(told(wrong), "", "{wrong}");
        }
    }
}
