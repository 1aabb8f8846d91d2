//! Least privilege: one application, one inference profile.

use serde_json::{Value, json};

/// What differs from account to account.
#[derive(Debug, Clone)]
pub struct Grant<'a> {
    /// Where the application calls Bedrock.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// The inference profile id.
    pub profile: &'a str,
    /// The base model's id.
    pub model: &'a str,
    /// Every region that the profile may route to.
    pub destinations: &'a [&'a str],
}

// region: policy
/// Allows one application one inference profile, and the models behind it only through it.
pub fn app_policy(grant: &Grant<'_>) -> Value {
    let Grant {
        region,
        account,
        profile,
        model,
        destinations,
    } = grant;
    let profile = format!("arn:aws:bedrock:{region}:{account}:inference-profile/{profile}");
    let models: Vec<String> = destinations
        .iter()
        .map(|region| format!("arn:aws:bedrock:{region}::foundation-model/{model}"))
        .collect();
    // Converse needs InvokeModel; ConverseStream needs the other. There is no bedrock:Converse.
    let actions = json!([
        "bedrock:InvokeModel",
        "bedrock:InvokeModelWithResponseStream"
    ]);
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "CallTheProfile",
                "Effect": "Allow",
                "Action": actions,
                "Resource": profile,
            },
            {
                "Sid": "ReachItsModels",
                "Effect": "Allow",
                "Action": actions,
                "Resource": models,
                "Condition": {"StringEquals": {"bedrock:InferenceProfileArn": profile}},
            },
        ],
    })
}
// endregion: policy

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use workshop_testkit::{Lab, Setup};

    use super::{Grant, app_policy};
    use crate::direct::{AskError, ask};

    /// The policy for the lab's cheapest model, reachable in these regions.
    async fn policy(destinations: &[&str]) -> Value {
        let lab = Lab::start().await;
        app_policy(&Grant {
            region: "us-east-1",
            account: "123456789012",
            profile: &lab.profile("haiku"),
            model: &lab.model("haiku").id,
            destinations,
        })
    }

    async fn asked(policy: Value, model: impl Fn(&Lab) -> String) -> Result<(), Option<String>> {
        let lab = Lab::with(Setup {
            policies: vec![policy],
            ..Setup::default()
        })
        .await;
        let answer = ask(&lab.client(), &model(&lab), "Hello", 64).await;
        answer
            .map(|_| ())
            .map_err(|e: AskError| e.code().map(str::to_owned))
    }

    #[tokio::test]
    async fn nothing_is_allowed_that_the_application_does_not_do() {
        let policy = policy(&["us-east-1", "us-east-2", "us-west-2"]).await;
        for statement in policy["Statement"].as_array().unwrap() {
            assert_eq!(
                statement["Action"],
                json!([
                    "bedrock:InvokeModel",
                    "bedrock:InvokeModelWithResponseStream"
                ])
            );
            assert!(!statement["Resource"].to_string().contains('*'));
        }
        let models = &policy["Statement"][1];
        assert_eq!(models["Resource"].as_array().unwrap().len(), 3);
        assert_eq!(
            models["Condition"]["StringEquals"]["bedrock:InferenceProfileArn"],
            policy["Statement"][0]["Resource"]
        );
    }

    #[tokio::test]
    async fn the_profile_answers_and_neither_half_of_the_policy_suffices() {
        let all = policy(&["us-east-1", "us-east-2", "us-west-2"]).await;
        assert_eq!(asked(all.clone(), |lab| lab.profile("haiku")).await, Ok(()));

        let denied = Err(Some("AccessDeniedException".to_owned()));
        assert_eq!(
            asked(all.clone(), |lab| lab.model("haiku").id.clone()).await,
            denied
        );

        let mut profile_only = all.clone();
        profile_only["Statement"]
            .as_array_mut()
            .unwrap()
            .truncate(1);
        assert_eq!(
            asked(profile_only, |lab| lab.profile("haiku")).await,
            denied
        );
    }
}
