//! Where a queue is: account, region and name; as ARN and as URL.

use bedrock_emulator::{error::ApiError, neighbour::Visit};

use super::error::{INVALID_ADDRESS, QUEUE_DOES_NOT_EXIST, invalid, missing};

/// A queue's account, region and name: what tells it from every other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) name: String,
}

impl Place {
    /// The caller's queue of that name.
    pub(super) fn named(visit: &Visit, name: &str) -> Self {
        Self {
            account: visit.account.to_string(),
            region: visit.region.clone(),
            name: name.to_owned(),
        }
    }

    /// The queue at that URL. Only the path counts, as on AWS, where SDKs send to the endpoint they
    /// are configured with, whatever host stands in the URL.
    pub(super) fn at(visit: &Visit, url: Option<&str>) -> Result<Self, ApiError> {
        let url = url.filter(|url| !url.is_empty());
        let url = url.ok_or_else(|| missing("QueueUrl"))?;
        let (account, name) = account_and_name(url).ok_or_else(|| {
            INVALID_ADDRESS.error(format!("The address {url} is not valid for this endpoint."))
        })?;
        if account != &*visit.account {
            // Queue policies are kept, but let nobody in from another account.
            return Err(QUEUE_DOES_NOT_EXIST
                .error("The specified queue does not exist or you do not have access to it."));
        }
        Ok(Self::named(visit, name))
    }

    /// The queue of that ARN.
    pub(super) fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let head = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let ours = head.0 == "arn" && head.1.starts_with("aws") && head.2 == "sqs";
        (ours && !region.is_empty() && !account.is_empty() && !name.is_empty()).then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
        })
    }

    /// `arn:aws:sqs:…`.
    pub(super) fn arn(&self) -> String {
        let Self {
            account,
            region,
            name,
        } = self;
        format!("arn:aws:sqs:{region}:{account}:{name}")
    }

    /// Its URL, at the address that the caller called.
    pub(super) fn url(&self, visit: &Visit) -> String {
        let host = visit.request.header("host").unwrap_or("127.0.0.1");
        // How the request came is not told; SDKs take what they get here as a name only.
        format!("http://{host}/{}/{}", self.account, self.name)
    }

    /// Whether first in, first out.
    pub(super) fn is_fifo(&self) -> bool {
        self.name.strip_suffix(".fifo").is_some()
    }
}

fn account_and_name(url: &str) -> Option<(&str, &str)> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.strip_prefix('/')?,
    };
    let (account, name) = path.trim_end_matches('/').split_once('/')?;
    (!account.is_empty() && !name.is_empty() && !name.contains('/')).then_some((account, name))
}

/// A new queue's name.
pub(super) fn checked_name(name: &str, fifo: bool) -> Result<(), ApiError> {
    let plain = if fifo {
        name.strip_suffix(".fifo")
    } else {
        Some(name)
    };
    let letters = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if name.len() <= 80 && plain.is_some_and(letters) {
        return Ok(());
    }
    Err(invalid(if fifo {
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, \
         must end with .fifo suffix and be 1 to 80 in length"
    } else {
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_a_url_counts() {
        let rows = [
            ("http://127.0.0.1:4566/123/jobs", Some(("123", "jobs"))),
            (
                "https://sqs.eu-west-1.amazonaws.com/123/jobs.fifo",
                Some(("123", "jobs.fifo")),
            ),
            ("/123/jobs/", Some(("123", "jobs"))),
            ("jobs", None),
            ("http://127.0.0.1:4566", None),
            ("http://127.0.0.1:4566/jobs", None),
            ("http://127.0.0.1:4566/123/jobs/more", None),
        ];
        for (url, expected) in rows {
            assert_eq!(account_and_name(url), expected, "{url}");
        }
    }

    #[test]
    fn an_arn_and_its_place_are_the_same() {
        let arn = "arn:aws:sqs:eu-west-1:123456789012:jobs.fifo";
        let place = Place::of_arn(arn).unwrap();
        assert_eq!(place.arn(), arn);
        assert!(place.is_fifo());
        for wrong in [
            "",
            "dummy",
            "arn:aws:sns:eu-west-1:1:jobs",
            "arn:aws:sqs:eu-west-1:1:",
        ] {
            assert_eq!(Place::of_arn(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_have_eighty_letters_at_most() {
        assert!(checked_name(&"a".repeat(80), false).is_ok());
        assert!(checked_name(&"a".repeat(81), false).is_err());
        assert!(checked_name("jobs.fifo", true).is_ok());
        for (name, fifo) in [
            ("", false),
            ("a b", false),
            ("jobs.fifo", false),
            ("jobs", true),
            (".fifo", true),
        ] {
            assert!(checked_name(name, fifo).is_err(), "{name}");
        }
    }
}
