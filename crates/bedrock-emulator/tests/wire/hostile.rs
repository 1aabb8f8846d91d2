//! Any bytes as body, any path, any header: an error in AWS's shape or a valid answer, never a panic.
//!
//! The functions under test are those of the fuzz targets. Here they meet the kept corpus
//! (`fuzz/corpus`), repeatable changes of it, and what is known to break readers of JSON.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::bench::{call, header, now, open, post, profile, text};

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a library of its own, where it is public")]
mod targets;

/// How many changed copies of each file are tried. libFuzzer tries more.
const CHANGES: u64 = 25;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut files: Vec<_> = fs::read_dir(folder.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    files
        .into_iter()
        .map(|file| fs::read(file).unwrap())
        .collect()
}

/// Runs a target over its corpus and over changes of it, the same ones every time.
fn hammer(name: &str, target: fn(&[u8])) {
    let seeds = corpus(name);
    for (s, seed) in seeds.iter().enumerate() {
        target(seed);
        for change in 0..CHANGES {
            let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (change << 32) ^ u64::try_from(s).unwrap());
            let mut data = seed.clone();
            for _ in 0..=dice.below(3) {
                mutate(&mut data, &seeds, &mut dice);
            }
            let shown = String::from_utf8_lossy(&data).into_owned();
            let run = std::panic::catch_unwind(|| target(&data));
            assert!(run.is_ok(), "{name}: {shown:?}");
        }
    }
}

/// Pieces that readers of JSON, HTTP and TOML trip over.
const PIECES: [&[u8]; 16] = [
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"1e999",
    b"-1",
    b"18446744073709551616",
    b"NaN",
    b"\\ud800",
    b"\xff\xfe",
    b"\0",
    b"%2F",
    b"\n",
    b"[[[[",
    b"\"type\":\"tool_use\",",
    b"\"content\":[],",
];

fn mutate(data: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(data.len() + 1);
    let to = at + dice.below(data.len() - at + 1).min(64);
    match dice.below(6) {
        0 => drop(data.splice(at..to, PIECES[dice.below(PIECES.len())].iter().copied())),
        1 => drop(data.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
        2 => drop(data.drain(at..to)),
        3 => {
            let twice = data[at..to].to_vec();
            data.splice(at..at, twice);
        }
        4 => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len() + 1);
            data.truncate(at);
            data.extend_from_slice(&other[from..]);
        }
        _ => {
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
    }
}

/// The same throws in the same order (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

#[test]
fn any_path() {
    hammer("routing", targets::routing);
}

#[test]
fn any_body_for_converse() {
    hammer("converse", targets::converse);
}

#[test]
fn any_body_for_a_model() {
    hammer("invoke", targets::invoke);
}

#[test]
fn any_text_through_a_stream() {
    hammer("event_stream", targets::event_stream);
}

#[test]
fn any_signature() {
    hammer("sigv4", targets::sigv4);
}

#[test]
fn any_script() {
    hammer("script", targets::script);
}

/// Nesting without end is not followed: where something is read or kept it is refused, where nobody
/// knows the member it is skipped.
#[test]
fn deep_json() {
    let emulator = open();
    let model = profile(&emulator, "sonnet");
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let lists = deep("[", "]");
    let objects = deep("{\"a\":", "}").replace(":}", ":1}");
    let converse = |body: String| {
        let reply = emulator.handle(&post(&model, "converse", body), now());
        let said = header(&reply, "x-amzn-ErrorType").unwrap().to_owned();
        said.split_once(':').unwrap().0.to_owned()
    };
    for nested in [&lists, &objects] {
        for body in [
            format!("{{\"messages\":{nested}}}"),
            format!("{{\"additionalModelRequestFields\":{{\"a\":{nested}}}}}"),
        ] {
            assert_eq!(converse(body.clone()), "SerializationException");
            let reply = emulator.handle(&post(&model, "invoke", body), now());
            assert_eq!(reply.status, 400);
        }
        let skipped = converse(format!("{{\"unknown\":{nested}}}"));
        assert_eq!(skipped, "ValidationException", "messages are missing");
    }
    assert_eq!(converse(lists), "SerializationException");
}

/// Of two members with one name Claude's reader takes the last, as Python's does; Converse's refuses
/// (chosen: nothing is known). A lone surrogate is not JSON text.
#[test]
fn json_that_readers_disagree_about() {
    let emulator = open();
    let model = profile(&emulator, "sonnet");
    let converse = |body: &str| {
        let reply = emulator.handle(&post(&model, "converse", body.to_owned()), now());
        (reply.status, text(&reply))
    };
    let rows = [
        ("{\"messages\":[],\"messages\":[]}", "Unexpected field type"),
        (
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"\\ud800\"}]}]}",
            "Unable to parse the request body as JSON",
        ),
        (
            "{\"inferenceConfig\":{\"temperature\":NaN}}",
            "Unable to parse the request body as JSON",
        ),
        (
            "{\"inferenceConfig\":{\"temperature\":1e999}}",
            "Unable to parse the request body as JSON",
        ),
        (
            "{\"inferenceConfig\":{\"maxTokens\":1.5}}",
            "Unexpected field type",
        ),
        (
            "{\"inferenceConfig\":{\"maxTokens\":99999999999999999999}}",
            "Unexpected field type",
        ),
        ("\u{feff}{}", "Unable to parse the request body as JSON"),
        ("{} {}", "Unable to parse the request body as JSON"),
    ];
    for (body, message) in rows {
        let (status, said) = converse(body);
        assert_eq!(
            (status, said),
            (400, format!("{{\"Message\":\"{message}\"}}")),
            "{body}"
        );
    }
    let invoke = |body: &str| {
        let reply = emulator.handle(&post(&model, "invoke", body.to_owned()), now());
        (reply.status, text(&reply))
    };
    let twice = "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":0,\"max_tokens\":9,\
                 \"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    assert_eq!(invoke(twice).0, 200);
    let huge = twice.replace("\"max_tokens\":9", "\"max_tokens\":18446744073709551615");
    assert!(
        invoke(&huge)
            .1
            .contains("which is the maximum allowed number of output tokens")
    );
}

/// Unknown members at the top are ignored (as AWS's services do), and so are those inside structures.
#[test]
fn members_that_converse_does_not_know() {
    let emulator = open();
    let body = json!({
        "messages": [{"role": "user", "content": [{"text": "Hi", "tone": "kind"}], "id": 1}],
        "stream": true,
        "inferenceConfig": {"seed": 5},
    });
    let reply = call(&emulator, &profile(&emulator, "haiku"), "converse", &body);
    assert_eq!(reply.status, 200, "{}", text(&reply));
}
