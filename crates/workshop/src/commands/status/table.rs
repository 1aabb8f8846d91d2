//! The status for people: a few lines, the accounts, the cost so far.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr};

use serde_json::Value;

use crate::style;

/// How many lines of the cost are shown; `--json` has them all.
const COST_ROWS: usize = 20;

/// The status, with its member `cost`, as text.
pub(super) fn render(addr: SocketAddr, status: &Value) -> String {
    let mut out = String::new();
    glance(&mut out, addr, status);
    accounts(&mut out, &status["accounts"]);
    cost(&mut out, &status["cost"]);
    out
}

fn glance(out: &mut String, addr: SocketAddr, status: &Value) {
    let text = |key: &str| text(status, key);
    let count = |key: &str| count(status, key);
    let mut rows = vec![
        (
            "emulator",
            format!("up at http://{addr}, version {}", text("version")),
        ),
        ("uptime", uptime(count("uptime_s"))),
        (
            "region",
            format!("{}, signatures {}", text("region"), text("auth")),
        ),
        ("day", text("today").to_owned()),
        ("requests", count("requests").to_string()),
        (
            "errors",
            format!(
                "{}, of them throttled {}",
                count("errors"),
                count("throttles")
            ),
        ),
    ];
    rows.extend(last_error(&status["last_error"]).map(|words| ("last error", words)));
    let cost = &status["cost"];
    let mut tokens = Sum::default();
    for row in list(&cost["rows"]) {
        tokens.add(row);
    }
    rows.push((
        "tokens",
        format!(
            "{} in, {} out, {} read from the cache, {} written to it",
            tokens.input, tokens.output, tokens.cache_read, tokens.cache_write
        ),
    ));
    rows.push((
        "cost so far",
        format!(
            "{} USD, had it been real Bedrock (prices of {})",
            usd(self::count(cost, "microUsd")),
            self::text(cost, "pricesAsOf")
        ),
    ));
    for (name, value) in rows {
        let _ = writeln!(out, "{name:<12} {}", value.replace('\n', " "));
    }
}

fn last_error(last: &Value) -> Option<String> {
    const WORDS: usize = 100;
    if !last.is_object() {
        return None;
    }
    let message = text(last, "message");
    let words: String = message.chars().take(WORDS).collect();
    let more = if words.len() < message.len() {
        "…"
    } else {
        ""
    };
    Some(format!(
        "request {}, {} {}: {words}{more}",
        last["seq"],
        text(last, "operation"),
        text(last, "code")
    ))
}

fn accounts(out: &mut String, accounts: &Value) {
    let head = format!(
        "{:<13} {:>9} {:>7} {:>10} {:>7} {:>7}",
        "account", "requests", "errors", "throttled", "script", "faults"
    );
    let _ = writeln!(out, "\n{}", style::bold(&head));
    for account in list(accounts) {
        let count = |key: &str| count(account, key);
        let _ = writeln!(
            out,
            "{:<13} {:>9} {:>7} {:>10} {:>7} {:>7}",
            text(account, "id"),
            count("requests"),
            count("errors"),
            count("throttles"),
            count("script_rules"),
            count("faults"),
        );
    }
}

/// What one account used of one model on one day, in whichever regions.
#[derive(Debug, Default)]
struct Sum {
    calls: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    micro_usd: u64,
}

impl Sum {
    fn add(&mut self, row: &Value) {
        self.calls += count(row, "invocations");
        self.input += count(row, "inputTokens");
        self.output += count(row, "outputTokens");
        self.cache_read += count(row, "cacheReadTokens");
        self.cache_write += count(row, "cacheWrite5mTokens") + count(row, "cacheWrite1hTokens");
        self.micro_usd += count(row, "microUsd");
    }
}

/// By account, the newest day first, then by model.
fn cost(out: &mut String, cost: &Value) {
    let mut sums: BTreeMap<_, Sum> = BTreeMap::new();
    for row in list(&cost["rows"]) {
        let day = std::cmp::Reverse(text(row, "day"));
        let key = (text(row, "account"), day, text(row, "modelId"));
        sums.entry(key).or_default().add(row);
    }
    if sums.is_empty() {
        return;
    }
    let shown = sums.keys().take(COST_ROWS);
    let width = shown.map(|(_, _, model)| model.len()).max();
    let width = width.unwrap_or_default().max("model".len());
    let head = format!(
        "{:<13} {:<10} {:<width$} {:>6} {:>9} {:>9} {:>10} {:>11} {:>11}",
        "account", "day", "model", "calls", "input", "output", "cache read", "cache write", "USD"
    );
    let _ = writeln!(out, "\n{}", style::bold(&head));
    for ((account, day, model), sum) in sums.iter().take(COST_ROWS) {
        let _ = writeln!(
            out,
            "{account:<13} {:<10} {model:<width$} {:>6} {:>9} {:>9} {:>10} {:>11} {:>11}",
            day.0,
            sum.calls,
            sum.input,
            sum.output,
            sum.cache_read,
            sum.cache_write,
            usd(sum.micro_usd),
        );
    }
    if sums.len() > COST_ROWS {
        let more = sums.len() - COST_ROWS;
        let _ = writeln!(
            out,
            "… and {more} more lines: workshop emulator status --json"
        );
    }
}

fn usd(micro: u64) -> String {
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

fn uptime(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or("-")
}

fn count(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
