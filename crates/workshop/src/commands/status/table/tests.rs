use serde_json::{Value, json};

use super::{render, uptime};

fn row(account: &str, region: &str, model: &str, day: &str, tokens: u64) -> Value {
    json!({
        "account": account,
        "region": region,
        "modelId": model,
        "model": model,
        "day": day,
        "invocations": 2,
        "inputTokens": tokens,
        "outputTokens": 10,
        "cacheReadTokens": 3,
        "cacheWrite5mTokens": 4,
        "cacheWrite1hTokens": 5,
        "microUsd": 1_250,
    })
}

fn status(rows: &[Value]) -> Value {
    json!({
        "version": "0.1.0",
        "uptime_s": 65,
        "region": "us-east-1",
        "auth": "strict",
        "today": "2026-11-22",
        "seed": 1,
        "requests": 8,
        "errors": 2,
        "throttles": 1,
        "last_error": {
            "seq": 7,
            "operation": "Converse",
            "code": "ThrottlingException",
            "message": "Too many requests,\nplease wait before trying again.",
        },
        "accounts": [
            {"id": "111122223333", "requests": 2, "errors": 0, "throttles": 0, "script_rules": 3, "faults": 1},
            {"id": "123456789012", "requests": 6, "errors": 2, "throttles": 1, "script_rules": 0, "faults": 0},
        ],
        "cost": {
            "microUsd": 1_250 * rows.len(),
            "usd": "as a text, for other programs",
            "pricesAsOf": "2026-11-01",
            "rows": rows,
        },
    })
}

fn check(status: &Value, expected: &str) {
    let addr = "127.0.0.1:4566".parse().unwrap();
    let text = render(addr, status);
    assert_eq!(text, expected, "it was:\n{text}");
}

#[test]
fn the_cost_is_told_by_account_day_and_model() {
    let rows = [
        row("123456789012", "us-east-1", "us.a.model", "2026-11-21", 100),
        row(
            "123456789012",
            "us-east-1",
            "us.a.model",
            "2026-11-22",
            1_000,
        ),
        row(
            "123456789012",
            "us-west-2",
            "us.a.model",
            "2026-11-22",
            2_000,
        ),
        row(
            "123456789012",
            "us-east-1",
            "a.much-longer-model",
            "2026-11-22",
            7,
        ),
        row("111122223333", "us-east-1", "us.a.model", "2026-11-22", 1),
    ];
    check(
        &status(&rows),
        "\
emulator     up at http://127.0.0.1:4566, version 0.1.0
uptime       1 min 5 s
region       us-east-1, signatures strict
day          2026-11-22
requests     8
errors       2, of them throttled 1
last error   request 7, Converse ThrottlingException: Too many requests, please wait before trying again.
tokens       3108 in, 50 out, 15 read from the cache, 45 written to it
cost so far  0.006250 USD, had it been real Bedrock (prices of 2026-11-01)

account        requests  errors  throttled  script  faults
111122223333          2       0          0       3       1
123456789012          6       2          1       0       0

account       day        model                calls     input    output cache read cache write         USD
111122223333  2026-11-22 us.a.model               2         1        10          3           9    0.001250
123456789012  2026-11-22 a.much-longer-model      2         7        10          3           9    0.001250
123456789012  2026-11-22 us.a.model               4      3000        20          6          18    0.002500
123456789012  2026-11-21 us.a.model               2       100        10          3           9    0.001250
",
    );
}

#[test]
fn nothing_spent_is_no_table() {
    let mut fresh = status(&[]);
    fresh["last_error"] = Value::Null;
    check(
        &fresh,
        "\
emulator     up at http://127.0.0.1:4566, version 0.1.0
uptime       1 min 5 s
region       us-east-1, signatures strict
day          2026-11-22
requests     8
errors       2, of them throttled 1
tokens       0 in, 0 out, 0 read from the cache, 0 written to it
cost so far  0.000000 USD, had it been real Bedrock (prices of 2026-11-01)

account        requests  errors  throttled  script  faults
111122223333          2       0          0       3       1
123456789012          6       2          1       0       0
",
    );
}

#[test]
fn a_long_bill_is_cut_and_says_where_the_rest_is() {
    let rows: Vec<Value> = (1..=25)
        .map(|day| {
            let day = format!("2026-10-{day:02}");
            row("123456789012", "us-east-1", "us.a.model", &day, 1)
        })
        .collect();
    let addr = "127.0.0.1:4566".parse().unwrap();
    let text = render(addr, &status(&rows));
    assert!(text.contains("2026-10-25") && !text.contains("2026-10-05"));
    assert!(text.ends_with("… and 5 more lines: workshop emulator status --json\n"));
}

#[test]
fn times_are_told_roughly() {
    assert_eq!(uptime(5), "5 s");
    assert_eq!(uptime(65), "1 min 5 s");
    assert_eq!(uptime(3_700), "1 h 1 min");
}
