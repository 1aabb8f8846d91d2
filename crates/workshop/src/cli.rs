//! The command line as types; its help is the first lesson.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use clap::{Parser, Subcommand, ValueEnum};

/// Learn to run Claude behind Amazon Bedrock, in Rust, offline.
#[derive(Debug, Parser)]
#[command(
    name = "workshop",
    version,
    max_term_width = 100,
    after_help = "\
Start here:
  workshop                 site and emulator together; prints both addresses
  workshop check           check the exercise you are at
  workshop hint 001        a hint, one step at a time

Exit codes: 0 done or solved, 1 not solved, 2 wrong usage, 3 does not compile,
4 broken set-up, 130 stopped by Ctrl-C."
)]
pub(crate) struct Cli {
    /// Folder of the course; laid out like the repository (content/, diagrams/, exercises/).
    /// Without it: the checkout around the current folder, else the course built into the binary
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) course: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the site and the emulator together (what plain `workshop` does)
    #[command(after_help = "\
With what your own code needs beside Bedrock; its diagrams light as it runs:
  workshop serve --function ask=target/debug/ask,queue=jobs
  workshop serve --help-local > local.toml    # queues, tables, functions, state machines, APIs
  workshop serve --local local.toml

In another terminal, point every AWS client at it:
  eval \"$(workshop env)\"")]
    Serve(Serve),
    /// Serve the Bedrock emulator alone, or ask a running one how it is
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "\
Make it answer as you need:
  workshop emulator --script replies.toml
  workshop emulator --fault 'error=ThrottlingException,rate=0.2,seed=7'
  workshop emulator --fault 'latency_ms=800,when.model=haiku' --fault 'socket=cut,after_frames=3,count=1'

A script file:
  [[reply]]
  when.prompt = \"weather\"                # contained; or { regex = '…' }, { equals = \"…\" }
  tool = { name = \"get_weather\", input = { city = \"Paris\" } }
  [[reply]]
  when.tool_result = { name = \"get_weather\" }
  text = [\"It is \", \"sunny.\"]             # two chunks of a stream
  [[fault]]
  error = \"ServiceUnavailableException\"
  when.call = { every = 5 }

A Lambda function of yours (built with `cargo build`), and a queue whose messages invoke it:
  workshop emulator --function ask=target/debug/ask,queue=jobs,timeout=10
  eval \"$(workshop env)\"                              # in another terminal
  aws lambda invoke --function-name ask --cli-binary-format raw-in-base64-out \\
    --payload '{\"question\":\"why?\"}' answer.json

While it runs:
  workshop emulator status
  curl http://127.0.0.1:4566/_workshop/openapi.json    # the control API, described
  curl -N http://127.0.0.1:4566/_workshop/events       # requests as they happen"
    )]
    Emulator(EmulatorArgs),
    /// Record exchanges with real Bedrock for `workshop emulator --replay`, or import recordings of
    /// other tools
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "\
Record against real Bedrock (your credentials, your bill), then answer from it:
  workshop record --region us-east-1 --to recordings
  eval \"$(workshop env --emulator-addr 127.0.0.1:4567)\"   # in another terminal; any key will do
  workshop emulator --replay recordings

Credentials come from AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a
profile with keys. With SSO or roles, let the AWS CLI get them first:
  eval \"$(aws configure export-credentials --profile NAME --format env)\""
    )]
    Record(Record),
    /// Print exports that point AWS SDKs, the AWS CLI and Claude Code at the emulator
    #[command(after_help = "\
Use it:
  eval \"$(workshop env)\"
  workshop env --shell fish | source
  workshop env --shell powershell | Out-String | Invoke-Expression
  workshop env --shell json | jq -r .AWS_REGION

For an emulator that was started with --tls:
  eval \"$(workshop env --tls --api-key)\"

At a recorder, or an emulator at another port:
  eval \"$(workshop env --emulator-addr 127.0.0.1:4567)\"

Version 1 of the AWS CLI ignores these variables for SQS alone:
  aws --endpoint-url \"$AWS_ENDPOINT_URL\" sqs list-queues")]
    Env(Env),
    /// List the exercises and how far you are
    List(List),
    /// Say what to do now: the exercise you are at, its file, its commands
    Start(Start),
    /// Check one exercise; without a number, the one you are at
    #[command(
        after_help = "Exit codes: 0 solved, 1 not solved, 3 does not compile, 4 broken set-up."
    )]
    Check(Check),
    /// Check again on every save; keys for hint, list, next, reset, quit
    Watch(Watch),
    /// Show a hint; each call goes one step further
    Hint(Hint),
    /// Show the reference solution (after success, or with --peek)
    Solution(AfterSuccess),
    /// Read what an exercise was about (after success, or with --peek)
    Explain(AfterSuccess),
    /// Compare your file with the reference solution (after success, or with --peek)
    Diff(AfterSuccess),
    /// Answer a few questions on what you have learned; each comes back after 1, 3, 7, … days
    Review(Review),
    /// Go on to the next exercise and leave this one open
    Skip(Skip),
    /// Copy this checkout to a new folder in which everything before an exercise is solved
    Checkpoint(Checkpoint),
    /// Put an exercise back to its start; your file is kept as a backup
    Reset(Reset),
    /// For authors: prove that starters fail, solutions pass and wrong answers die
    ///
    /// Solutions run once more in other labs: models say random words of many scripts and lengths, and
    /// have other ids, prices and another order. Whatever then fails depends on wording or on today's
    /// catalogue.
    Verify(Verify),
    /// For authors: lay out a new post, diagram or exercise
    New(New),
    /// Write the course as pages for any web server: search, themes and diagrams included
    #[command(after_help = "\
  workshop build --out site
  workshop build --out site --base-url https://example.org/course/   # also a feed and a site map

The same course gives the same bytes. Files that did not change are not touched. A folder that has
anything else in it is refused.

Exit codes: 0 written, 1 written with links that lead nowhere, 4 not written.")]
    Build(Build),
    /// Look at toolchain, disk, ports, prebuilt dependencies, clock and credentials
    Doctor(Doctor),
    /// Measure edit → verdict beside plain `cargo test`
    BenchLoop(BenchLoop),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where the site listens; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "IP:PORT")]
    pub(crate) addr: SocketAddr,
    /// Where the emulator listens; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4566", value_name = "IP:PORT")]
    pub(crate) emulator_addr: SocketAddr,
    #[command(flatten)]
    pub(crate) local: LocalArgs,
    /// Open the site in the browser
    #[arg(long)]
    pub(crate) open: bool,
    /// Show drafts (posts with `published: false`)
    #[arg(long)]
    pub(crate) preview: bool,
    /// Where the site stands for the public: adds an Atom feed, a sitemap and previews of links
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(crate) base_url: Option<String>,
    /// Print one line of JSON with both addresses when ready
    #[arg(long)]
    pub(crate) json: bool,
}

/// What runs beside Bedrock from the start.
#[derive(Debug, clap::Args)]
pub(crate) struct LocalArgs {
    /// A Lambda function, as its name and its compiled program: 'ask=target/debug/ask'; with
    /// ',queue=jobs' the messages of that queue invoke it, ',timeout=10' are its seconds; may be given
    /// several times
    #[arg(long, value_name = "NAME=PROGRAM")]
    pub(crate) function: Vec<String>,
    /// Queues, tables, Lambda functions, state machines and APIs, as a TOML file; see
    /// `--help-local`
    #[arg(long, value_name = "FILE")]
    pub(crate) local: Option<PathBuf>,
    /// Print every key of that file with its meaning and default, then exit
    #[arg(long)]
    pub(crate) help_local: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EmulatorArgs {
    #[command(subcommand)]
    pub(crate) command: Option<EmulatorCommand>,
    /// Scripted replies and fault rules, as a TOML file; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Vec<PathBuf>,
    /// One fault rule, as its keys in a file: 'error=ThrottlingException,rate=0.2'; may be given
    /// several times
    #[arg(long, value_name = "KEYS")]
    pub(crate) fault: Vec<String>,
    /// Where it listens; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4566", value_name = "IP:PORT")]
    pub(crate) addr: SocketAddr,
    /// Whether signatures are checked; the default identity is AWS's documentation example key pair
    #[arg(long, value_enum, default_value_t = AuthMode::Strict)]
    pub(crate) auth: AuthMode,
    /// The calendar day that decides which models are alive, as 2026-11-22; default: today
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<String>,
    /// A TOML file with settings; see `workshop emulator --help-config`
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print every setting of the file with its meaning and default, then exit
    #[arg(long)]
    pub(crate) help_config: bool,
    #[command(flatten)]
    pub(crate) local: LocalArgs,
    /// Answer without a model's delays
    #[arg(long)]
    pub(crate) no_latency: bool,
    /// Log model invocations, and write what goes to a bucket into this folder as DIR/bucket/key
    #[arg(long, value_name = "DIR")]
    pub(crate) log_dir: Option<PathBuf>,
    /// Answer from the recordings in this folder, with their times (see `workshop record`)
    #[arg(long, value_name = "DIR")]
    pub(crate) replay: Option<PathBuf>,
    /// What happens to a request that no recording answers
    #[arg(long, value_enum, default_value_t = ReplayMode::Strict, requires = "replay")]
    pub(crate) replay_mode: ReplayMode,
    /// Take the words from a model behind this OpenAI-compatible address (Ollama, llama.cpp, vLLM),
    /// for example `http://127.0.0.1:11434/v1`
    #[arg(long, value_name = "URL", requires = "upstream_model")]
    pub(crate) upstream: Option<String>,
    /// The model's name there
    #[arg(long, value_name = "NAME")]
    pub(crate) upstream_model: Option<String>,
    /// Speak TLS on the same port beside cleartext, as `localhost`, with a certificate authority
    /// of this machine's own; `workshop env --tls` makes clients trust it
    #[arg(long)]
    pub(crate) tls: bool,
    /// Print one line of JSON when ready, then one for each request
    #[arg(long)]
    pub(crate) json: bool,
    /// Do not print requests; the journal has them
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// What happens to a request that no recording answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplayMode {
    /// An error that names the nearest recording and the difference
    Strict,
    /// The emulator answers by itself
    Fallback,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Record {
    #[command(subcommand)]
    pub(crate) command: Option<RecordCommand>,
    /// The region of real Bedrock; default: the one your AWS configuration names
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Record another address instead of real Bedrock
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Option<String>,
    /// The folder of recordings they are added to
    #[arg(long, value_name = "DIR", default_value = "recordings")]
    pub(crate) to: PathBuf,
    /// Where it listens; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4567", value_name = "IP:PORT")]
    pub(crate) addr: SocketAddr,
    /// Sign with this profile of ~/.aws instead of what the environment says
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Refuse more requests than these before they leave; default for real Bedrock: 100
    #[arg(long, value_name = "N")]
    pub(crate) max_requests: Option<u32>,
    /// Keep account ids in ARNs; otherwise AWS's documentation example takes their place
    #[arg(long)]
    pub(crate) keep_account_ids: bool,
    /// Do not ask before spending
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print one line of JSON when ready, then one for each request
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// Take over recordings of nock, vcrpy, VCR (Ruby, R), wiremock and dd-apm-test-agent
    #[command(after_help = "\
Take them over, then answer from them:
  workshop record import tests/cassettes --to recordings
  workshop emulator --replay recordings --replay-mode fallback")]
    Import(RecordImport),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecordImport {
    /// Cassettes, or folders of cassettes
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The folder of recordings they are added to
    #[arg(long, value_name = "DIR", default_value = "recordings")]
    pub(crate) to: PathBuf,
    /// Keep account ids in ARNs; otherwise AWS's documentation example takes their place
    #[arg(long)]
    pub(crate) keep_account_ids: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EmulatorCommand {
    /// How the running emulator is: requests, errors, throttles, tokens, accounts, the last error, and
    /// the cost so far by account, day and model
    #[command(after_help = "\
For scripts:
  workshop emulator status --json | jq -r .cost.usd      # what it would have cost so far
  workshop emulator status >/dev/null || echo \"none is running\"

Exit codes: 0 it is up, 3 none is running there, 4 the address cannot be read.")]
    Status(EmulatorStatus),
}

#[derive(Debug, clap::Args)]
pub(crate) struct EmulatorStatus {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// The emulator's address, with or without `http://`; default: the one that is running, else
    /// 127.0.0.1:4566
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthMode {
    /// Signatures are verified, as on AWS
    Strict,
    /// Anything goes; a request belongs to the account of the key it names, else to the default one
    Off,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Env {
    /// The shell to write for
    #[arg(long, value_enum, default_value_t = Shell::Bash)]
    pub(crate) shell: Shell,
    /// The emulator's address; default: the one that is running, else 127.0.0.1:4566
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) emulator_addr: Option<SocketAddr>,
    /// For an emulator started with --tls: https addresses, and the certificate authority to trust
    #[arg(long)]
    pub(crate) tls: bool,
    /// A Bedrock API key of twelve hours instead of a key pair; boto3 sends it over --tls only
    #[arg(long)]
    pub(crate) api_key: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// bash, zsh and other POSIX shells
    Bash,
    Fish,
    Powershell,
    /// One JSON object
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The exercise's number
    #[arg(value_name = "NNN")]
    pub(crate) id: Option<String>,
    /// Print the report as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Whom the student's code talks to
    #[arg(long, value_enum, default_value_t = Target::Emulator)]
    pub(crate) target: Target,
    /// With --target bedrock: do not ask before spending
    #[arg(long, requires = "target")]
    pub(crate) yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// The emulator inside each test: free, offline
    Emulator,
    /// Real Amazon Bedrock: says what will be called and the price ceiling, asks first
    Bedrock,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Watch {
    /// The exercise to start with
    #[arg(value_name = "NNN")]
    pub(crate) id: Option<String>,
    /// Look for changes by polling (for network drives and some containers)
    #[arg(long)]
    pub(crate) poll: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Hint {
    /// The exercise's number
    #[arg(value_name = "NNN")]
    pub(crate) id: String,
    /// Which of the three; default: the next one you have not seen
    #[arg(value_name = "1-3", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) step: Option<u8>,
}

/// What waits for success.
#[derive(Debug, clap::Args)]
pub(crate) struct AfterSuccess {
    /// The exercise's number
    #[arg(value_name = "NNN")]
    pub(crate) id: String,
    /// Show it although the exercise is not solved yet
    #[arg(long)]
    pub(crate) peek: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    /// The exercise's number; default: where you left off
    #[arg(value_name = "NNN")]
    pub(crate) id: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Review {
    /// How many questions
    #[arg(short = 'n', long, default_value_t = 5)]
    pub(crate) count: usize,
    /// Those that the exercise of this number opens with, due or not
    #[arg(long, value_name = "NNN", conflicts_with = "count")]
    pub(crate) before: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Skip {
    /// The exercise's number; default: the one you are at
    #[arg(value_name = "NNN")]
    pub(crate) id: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Checkpoint {
    /// The exercise to start with
    #[arg(value_name = "NNN")]
    pub(crate) id: String,
    /// The new folder; default: beside this checkout
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Reset {
    /// The exercise's number
    #[arg(value_name = "NNN")]
    pub(crate) id: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// The folder: a new one, an empty one, or one that was written before
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Where the pages are to be found by others
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(crate) base_url: Option<String>,
    /// Also drafts (posts with `published: false`)
    #[arg(long)]
    pub(crate) preview: bool,
    /// End with one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// An address to append paths to; it ends with a slash.
fn base_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or(text.strip_prefix("http://"));
    let host = rest
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let plain = !text.contains(['?', '#', ' ', '"', '<', '>']);
    if host.is_empty() || !plain {
        return Err("write it as https://example.org/course/, without ? and #".to_owned());
    }
    Ok(format!("{}/", text.trim_end_matches('/')))
}

/// What `verify --help` says after the options.
const GATES: &str = "\
What each exercise has to show, column by column:
  starter fails     it compiles without a warning, and each failure names a point (001/3)
  progress shows    wrong answers fail fewer tests than the starter, and none that the starter passes
  solution passes   every file in solution/, without a warning of rustc or clippy, formatted
  in other labs     also when the model says other words, and the models have other ids and prices
  two at once       also while a second copy of its tests and those of another exercise run
  stays offline     its tests try to reach nothing beyond loopback: Linux runs them in a network of their
                    own and counts; `?` where the system gives none
  wrong answers     each fails the tests that its first line names, no other, with a text of its own of
                    at most twelve lines; the texts are those kept in messages.txt
  slowest test      of a solution; more than twice the limit fails. The limit is 2 s, or test-seconds with
                    test-seconds-because below [package.metadata.workshop] in the exercise's Cargo.toml
Besides: no dependency or feature of its own, exercises/protected.toml fits (the files that a student must
not edit, so that success counts), and every line of the documents the course grew from is claimed by it
(content/coverage.toml). --repeat looks for tests that fail sometimes.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = GATES)]
pub(crate) struct Verify {
    /// Exercises to prove; default: all
    #[arg(value_name = "NNN")]
    pub(crate) ids: Vec<String>,
    /// End with one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Run each solution N times more, two fifths as often with 8 tests at once, and a fifth as often with
    /// the processor kept busy; count the runs in which a test fails
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) repeat: usize,
    /// Rewrite messages.txt, the kept texts of dead wrong answers, and protected.toml; read the change
    /// before you commit it
    #[arg(long)]
    pub(crate) bless: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
What is laid out loads without a finding; comments say what to fill in. Then, while you write:
  workshop serve --preview     # drafts, reload on save, what is wrong with file, line and cure

  workshop new post why-retries-hurt --exercise 006
  workshop new diagram retry-layers
  workshop new exercise 021-my-exercise

Exit codes: 0 laid out, 2 a name of another form, 4 taken or not written. No file is ever written over."
)]
pub(crate) struct New {
    #[command(subcommand)]
    pub(crate) what: NewWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NewWhat {
    /// A post in content/posts, as a draft
    Post(NewPost),
    /// A diagram in diagrams, as a draft, with its drawing
    Diagram(NewDiagram),
    /// An exercise that works and can be verified
    Exercise(NewExercise),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewPost {
    /// The last part of its address: why-retries-hurt
    #[arg(value_name = "SLUG", value_parser = page_name)]
    pub(crate) slug: String,
    /// The exercise it leads to; default: the first
    #[arg(long, value_name = "NNN")]
    pub(crate) exercise: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewDiagram {
    /// The last part of its address, by which exercises name it: retry-layers
    #[arg(value_name = "ID", value_parser = page_name)]
    pub(crate) id: String,
    /// The exercise it leads to; default: the first
    #[arg(long, value_name = "NNN")]
    pub(crate) exercise: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewExercise {
    /// Three digits and a name: 021-my-exercise
    #[arg(value_name = "NNN-slug")]
    pub(crate) name: ExerciseName,
}

/// `021-my-exercise`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExerciseName {
    pub(crate) id: String,
    pub(crate) slug: String,
}

impl FromStr for ExerciseName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let parts = name.split_once('-').filter(|(id, slug)| {
            let digits = id.len() == 3 && id.bytes().all(|b| b.is_ascii_digit());
            digits && is_page_name(slug)
        });
        let form = "three digits, a hyphen and a lower-case name, as in 021-my-exercise";
        let (id, slug) = parts.ok_or(form)?;
        Ok(Self {
            id: id.to_owned(),
            slug: slug.to_owned(),
        })
    }
}

fn page_name(name: &str) -> Result<String, String> {
    if is_page_name(name) {
        return Ok(name.to_owned());
    }
    Err("lower-case letters, digits and single hyphens, as in why-retries-hurt".to_owned())
}

/// Words of lower-case letters and digits with a hyphen between them.
fn is_page_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(plain))
}

#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchLoop {
    /// The exercise to measure on (a copy; your file is not touched)
    #[arg(value_name = "NNN", default_value = "001")]
    pub(crate) id: String,
    /// Rounds; medians are reported
    #[arg(short = 'n', long, default_value_t = 7)]
    pub(crate) rounds: u32,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Cli {
    /// What plain `workshop` does: `serve` with its defaults.
    pub(crate) fn serve_by_default() -> Command {
        let serve = Self::try_parse_from(["workshop", "serve"]).ok();
        match serve.and_then(|cli| cli.command) {
            Some(command) => command,
            None => unreachable!("`serve` has a default for every argument"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let good: ExerciseName = "021-my-exercise".parse().unwrap();
        assert_eq!(
            (good.id.as_str(), good.slug.as_str()),
            ("021", "my-exercise")
        );
        for bad in [
            "21-x", "021", "021-", "021-Big", "021-a b", "0a1-x", "021-x-", "021-a--b",
        ] {
            assert!(bad.parse::<ExerciseName>().is_err(), "{bad}");
        }
        for bad in ["", "-", "a-", "Big", "a/b", "..", "é"] {
            assert!(page_name(bad).is_err(), "{bad}");
        }
        assert_eq!(page_name("a-2-b").unwrap(), "a-2-b");
    }
}
