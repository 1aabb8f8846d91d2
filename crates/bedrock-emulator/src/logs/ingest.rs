//! What happens to events on their way into a stream: they are kept, and lines in the embedded metric
//! format become metrics.

use std::collections::VecDeque;

use super::emf;
use crate::{
    account::{Account, State},
    error::ApiError,
    observe::{Custom, Timeline},
};

/// How many troubles of documents are remembered, and how much of each line.
const TROUBLES_MAX: usize = 200;
const EXCERPT_MAX: usize = 500;

/// A line in the embedded metric format that does not make the metrics it promises.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) region: String,
    pub(crate) group: String,
    pub(crate) stream: String,
    /// Of the log event, in milliseconds.
    pub(crate) timestamp: i64,
    pub(crate) problems: Vec<String>,
    /// The line's beginning.
    pub(crate) line: String,
}

/// The troubles of one account, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Troubles(VecDeque<Trouble>);

impl Troubles {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Trouble> {
        self.0.iter()
    }

    fn push(&mut self, trouble: Trouble) {
        if self.0.len() == TROUBLES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(trouble);
    }
}

/// Whose stream events go into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream<'s> {
    pub(crate) region: &'s str,
    pub(crate) group: &'s str,
    pub(crate) name: &'s str,
}

/// Puts events into a stream that is there.
pub(super) fn put(
    account: &Account,
    stream: Stream<'_>,
    events: Vec<(i64, String)>,
    now: i64,
) -> Result<(), ApiError> {
    // Documents are read without the account's lock.
    let documents = read(stream.region, &events, now);
    let mut state = account.state();
    let Stream {
        region,
        group,
        name,
    } = stream;
    let texts: Vec<_> = documents
        .into_iter()
        .map(|(at, document)| (excerpt(&events[at].1), events[at].0, document))
        .collect();
    state.log_groups.put(region, group, name, events, now)?;
    for (line, timestamp, document) in texts {
        state.embedded(stream, timestamp, line, document, now);
    }
    Ok(())
}

/// The same; group and stream are made when they are missing, and none is refused.
pub(crate) fn put_always(
    account: &Account,
    stream: Stream<'_>,
    events: Vec<(i64, String)>,
    now: i64,
) {
    let Stream {
        region,
        group,
        name,
    } = stream;
    account.state().log_groups.ensure(region, group, name, now);
    // It is there: nothing is left that could be refused.
    let _ = put(account, stream, events, now);
}

/// Which events are documents, by their place.
fn read(region: &str, events: &[(i64, String)], now: i64) -> Vec<(usize, emf::Document)> {
    let documents = events.iter().enumerate();
    let documents =
        documents.filter_map(|(at, (_, text))| Some((at, emf::read(text, region, now)?)));
    documents.collect()
}

fn excerpt(line: &str) -> String {
    line.chars().take(EXCERPT_MAX).collect()
}

impl State {
    /// Keeps what a document makes, and what is wrong with it.
    fn embedded(
        &mut self,
        stream: Stream<'_>,
        timestamp: i64,
        line: String,
        mut document: emf::Document,
        now: i64,
    ) {
        for datum in document.data {
            let emf::Datum {
                metric,
                minute,
                values,
            } = datum;
            let name = metric.name.clone();
            let kept = self.meters.change_custom(metric, minute, |stats| {
                for value in &values {
                    stats.put(*value, 1.0);
                }
            });
            if !kept {
                document.problems.push(format!(
                    "the metric {name} is left out: this emulator keeps no more metrics of this \
                     account; dimensions whose values never repeat (request ids) make a new metric \
                     each time"
                ));
                break;
            }
        }
        if document.problems.is_empty() {
            return;
        }
        // AWS counts these in the namespace of CloudWatch Logs itself (documentation).
        let metric = Custom {
            region: stream.region.to_owned(),
            namespace: "AWS/Logs".to_owned(),
            name: if document.broken {
                "EMFParsingErrors"
            } else {
                "EMFValidationErrors"
            }
            .to_owned(),
            dimensions: vec![("LogGroupName".to_owned(), stream.group.to_owned())],
            unit: "None".to_owned(),
            line: Timeline::default(),
        };
        let minute = now.div_euclid(60_000);
        self.meters
            .change_custom(metric, minute, |stats| stats.put(1.0, 1.0));
        self.log_groups.troubles.push(Trouble {
            region: stream.region.to_owned(),
            group: stream.group.to_owned(),
            stream: stream.name.to_owned(),
            timestamp,
            problems: document.problems,
            line,
        });
    }
}
