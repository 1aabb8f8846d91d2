//! The path to real Bedrock, proven against a second endpoint: TLS, another port, a certificate
//! authority of its own, everything through AWS's usual variables.
//!
//! Variables belong to a process, so each scenario is a child process of this one (hence no
//! harness): `cargo test -p workshop-testkit --features live-test --test live`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    process::{self, Command, Output},
    sync::Arc,
};

use aws_sdk_bedrockruntime::{
    error::DisplayErrorContext,
    types::{ContentBlock, ConversationRole, InferenceConfiguration, Message},
};
use bedrock_emulator::{Config, Emulator, emulator::ApiKey};
use bedrock_endpoint::{Endpoint, Identity, Setup};
use workshop_testkit::live::{self, Limits};

const CHILD: &str = "TESTKIT_LIVE_CHILD";
const API_KEY: &str = "ABSKdGVzdGtpdA==";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if env::var_os(CHILD).is_some() {
        runtime.block_on(child());
    } else {
        runtime.block_on(parent());
    }
}

/// Makes three calls and prints what happens: within the limits, asking for too much, one too many.
async fn child() {
    let limits = Limits {
        calls: 1,
        max_tokens: 64,
    };
    let bedrock = match live::client(limits).await {
        Ok(bedrock) => bedrock,
        Err(missing) => {
            println!("missing: {missing}");
            return;
        }
    };
    let model = match bedrock.model("haiku") {
        Ok(model) => model,
        Err(missing) => {
            println!("missing: {missing}");
            return;
        }
    };
    println!("model: {model}");
    for max_tokens in [None, Some(65), Some(64), Some(64)] {
        let hello = Message::builder()
            .role(ConversationRole::User)
            .content(ContentBlock::Text("Hello".to_owned()))
            .build()
            .unwrap();
        let inference = InferenceConfiguration::builder().set_max_tokens(max_tokens);
        let call = bedrock.client().converse().model_id(&model).messages(hello);
        match call.inference_config(inference.build()).send().await {
            Ok(answer) => println!("answer: {}", answer.stop_reason()),
            Err(error) => println!("error: {}", DisplayErrorContext(error)),
        }
    }
    println!("made: {}", bedrock.calls_made());
}

struct Scenario {
    endpoint: Endpoint,
    variables: Vec<(&'static str, String)>,
}

impl Scenario {
    fn set(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.variables.retain(|(n, _)| *n != name);
        self.variables.push((name, value.to_owned()));
        self
    }

    fn run(&self) -> String {
        let mut child = Command::new(env::current_exe().unwrap());
        child.env_clear().env(CHILD, "1");
        // Where the shared library of the exercises is found.
        for kept in [
            "LD_LIBRARY_PATH",
            "DYLD_FALLBACK_LIBRARY_PATH",
            "PATH",
            "SYSTEMROOT",
        ] {
            child.envs(env::var_os(kept).map(|value| (kept, value)));
        }
        child.envs(self.variables.iter().map(|(n, v)| (n, v)));
        let Output {
            status,
            stdout,
            stderr,
        } = child.output().unwrap();
        let text = String::from_utf8_lossy(&stdout).into_owned();
        assert!(
            status.success(),
            "{text}\n{}",
            String::from_utf8_lossy(&stderr)
        );
        text
    }
}

async fn parent() {
    let config = Config {
        region: "eu-central-1".to_owned(),
        api_keys: vec![ApiKey {
            token: API_KEY.to_owned(),
            arn: "arn:aws:iam::123456789012:user/key".to_owned(),
        }],
        ..Config::default()
    };
    let credential = config.credentials[0].clone();
    let emulator = Arc::new(Emulator::new(config).unwrap());
    let loopback = ([127, 0, 0, 1], 0).into();
    let identity = Identity::ephemeral().unwrap();
    let ca = identity.ca().clone();
    let setup = Setup {
        tls: Some(identity),
        ..Setup::default()
    };
    let endpoint = Endpoint::open(loopback, emulator, setup).await.unwrap();
    let folder = env::temp_dir().join(format!("testkit-live-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let bundle = folder.join("ca.pem");
    fs::write(&bundle, ca.0).unwrap();
    let nowhere = folder.join("none").display().to_string();
    let url = endpoint.tls_url().unwrap();
    let all = || {
        vec![
            ("AWS_ACCESS_KEY_ID", credential.access_key_id.clone()),
            (
                "AWS_SECRET_ACCESS_KEY",
                credential.secret_access_key.clone(),
            ),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url.clone()),
            ("AWS_CA_BUNDLE", bundle.display().to_string()),
            // Nothing of this machine, and no request to a metadata service.
            ("AWS_CONFIG_FILE", nowhere.clone()),
            ("AWS_SHARED_CREDENTIALS_FILE", nowhere.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    };
    let mut scenario = Scenario {
        endpoint,
        variables: all(),
    };

    let signed = scenario.run();
    for wanted in [
        "model: eu.",
        "has no maxTokens",
        "asks for 65 tokens, and this run may ask for 64",
        "answer: ",
        "may make 1 calls to real Bedrock, and they were made",
        "made: 1",
    ] {
        assert!(signed.contains(wanted), "{wanted:?} is not in\n{signed}");
    }
    let journal = scenario.endpoint.emulator().journal();
    assert_eq!(journal.len(), 1, "refused calls are not sent");
    assert_eq!(journal[0].status, 200);
    assert_eq!(journal[0].caller.region.as_deref(), Some("eu-central-1"));

    scenario.set("AWS_BEARER_TOKEN_BEDROCK", API_KEY);
    scenario
        .set("AWS_ACCESS_KEY_ID", "")
        .set("AWS_SECRET_ACCESS_KEY", "");
    let bearer = scenario.run();
    assert!(bearer.contains("answer: "), "{bearer}");
    let journal = scenario.endpoint.emulator().journal();
    assert!(journal[1].caller.bearer);

    scenario.variables = all();
    scenario
        .set("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "")
        .set("AWS_ENDPOINT_URL", &url);
    scenario
        .variables
        .retain(|(name, _)| *name != "AWS_ENDPOINT_URL_BEDROCK_RUNTIME");
    let general = scenario.run();
    assert!(general.contains("answer: "), "{general}");

    scenario.variables = all();
    scenario.variables.retain(|(name, _)| *name != "AWS_REGION");
    let region = scenario.run();
    assert!(
        region.starts_with("missing: no AWS region is configured"),
        "{region}"
    );

    scenario.variables = all();
    scenario
        .variables
        .retain(|(name, _)| !name.contains("_KEY"));
    let credentials = scenario.run();
    assert!(
        credentials.starts_with("missing: no AWS credentials are found"),
        "{credentials}"
    );

    scenario.variables = all();
    let untrusted = scenario.set("AWS_CA_BUNDLE", &nowhere).run();
    assert!(
        untrusted.contains("which cannot be read as certificates"),
        "{untrusted}"
    );

    scenario.variables = all();
    scenario
        .variables
        .retain(|(name, _)| *name != "AWS_CA_BUNDLE");
    let strangers = scenario.run();
    assert!(
        !strangers.contains("answer: "),
        "an unknown authority is not trusted: {strangers}"
    );

    scenario.variables = all();
    let named = scenario.set("WORKSHOP_MODEL", "a.model-of-mine").run();
    assert!(named.contains("model: a.model-of-mine\n"), "{named}");

    fs::remove_dir_all(&folder).unwrap();
    println!("8 scenarios of real Bedrock's path passed");
}
