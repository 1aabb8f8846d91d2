//! One state: the fields of its type, and no others.

use serde_json::Value;

use super::{Parser, fields::Fields, graph::Graph};
use crate::{
    choice,
    diagnostic::Diagnostic,
    machine::{ChoiceState, Kind, MapState, Next, Resource, Seconds, State, TaskState, Until},
    path::{Path, ReferencePath},
    template::TextSource,
};

/// In AWS's order (recorded).
const TYPES: [&str; 8] = [
    "Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map",
];

/// Fields of the JSONata query language only.
const JSONATA: [&str; 4] = ["Arguments", "Output", "Items", "Condition"];

/// A duration no longer than the longest of AWS.
const SECONDS: std::ops::RangeInclusive<u64> = 1..=99_999_999;

impl Parser {
    pub(super) fn state(
        &mut self,
        name: &str,
        value: &Value,
        place: String,
        graph: &mut Graph<'_>,
    ) -> Option<State> {
        let id = graph.id(name);
        let mut fields = Fields::of(value, place, &mut self.found);
        fields.required(&["Type"], &mut self.found);
        let Some(kind) = fields.text("Type", &mut self.found) else {
            graph.end();
            return None;
        };
        if !TYPES.contains(&kind) {
            // Recorded, and nothing is said of an end: such a state could be one.
            graph.end();
            self.found.push(Diagnostic::schema(
                fields.below("Type"),
                format!(
                    "The field 'Type' should have one of these values: [{}]",
                    TYPES.join(", ")
                ),
            ));
            return None;
        }
        fields.text("Comment", &mut self.found);
        self.query_language(&mut fields);
        self.foreign(&mut fields);
        let mut state = State {
            name: name.to_owned(),
            kind: Kind::Succeed,
            input_path: Some(Path::whole()),
            output_path: Some(Path::whole()),
            parameters: None,
            result_selector: None,
            result_path: Some(ReferencePath::whole()),
            retry: Vec::new(),
            catch: Vec::new(),
            next: Next::End,
        };
        if kind != "Fail" {
            let found = &mut self.found;
            state.input_path = fields.nullable_path("InputPath", found).or(Path::whole());
            state.output_path = fields.nullable_path("OutputPath", found).or(Path::whole());
        }
        if matches!(kind, "Task" | "Pass" | "Parallel" | "Map") {
            state.parameters = self.template(&mut fields, "Parameters");
            let path = fields.nullable_reference_path("ResultPath", &mut self.found);
            state.result_path = path.or(ReferencePath::whole());
        }
        if matches!(kind, "Task" | "Parallel" | "Map") {
            state.result_selector = self.template(&mut fields, "ResultSelector");
            state.retry = self.retry(&mut fields);
            state.catch = self.catch(&mut fields, id, graph);
        }
        match kind {
            "Choice" => {}
            "Succeed" | "Fail" => graph.end(),
            _ => state.next = self.next(&mut fields, id, graph),
        }
        let kind = match kind {
            "Task" => self.task(&mut fields),
            "Wait" => self.wait(&mut fields),
            "Pass" => Some(Kind::Pass(fields.value("Result").cloned())),
            "Succeed" => Some(Kind::Succeed),
            "Fail" => Some(Kind::Fail {
                error: self.text_source(&mut fields, "Error", "ErrorPath"),
                cause: self.text_source(&mut fields, "Cause", "CausePath"),
            }),
            "Choice" => Some(self.choice(&mut fields, id, graph)),
            "Parallel" => self.parallel(&mut fields),
            _ => self.map(&mut fields),
        };
        fields.finish(&mut self.found);
        state.kind = kind?;
        Some(state)
    }

    /// What belongs to JSONata or to variables.
    fn foreign(&mut self, fields: &mut Fields<'_>) {
        for name in JSONATA {
            if fields.has(name) {
                fields.value(name);
                // Measured.
                self.found.push(Diagnostic::schema(
                    fields.place(),
                    format!(
                        "The QueryLanguage is set to 'JSONPath', but field '{name}' is only \
                         supported for the 'JSONata' QueryLanguage"
                    ),
                ));
            }
        }
        if fields.has("Assign") {
            self.variables(fields);
        }
    }

    fn next(&mut self, fields: &mut Fields<'_>, id: usize, graph: &mut Graph<'_>) -> Next {
        let end = fields.bool("End", &mut self.found);
        let has_next = fields.has("Next");
        if end == Some(true) {
            graph.end();
            if has_next {
                self.found.push(Diagnostic::schema(
                    fields.place(),
                    "A state has either 'Next' or 'End', not both",
                ));
            }
        } else if !has_next {
            self.found.push(Diagnostic::schema(
                fields.place(),
                "A state needs 'Next' or \"End\": true",
            ));
        }
        let target = self.target(fields, "Next", id, graph);
        target.map_or(Next::End, Next::State)
    }

    fn task(&mut self, fields: &mut Fields<'_>) -> Option<Kind> {
        fields.required(&["Resource"], &mut self.found);
        let timeout = self.seconds(fields, "TimeoutSeconds", "TimeoutSecondsPath");
        let heartbeat = self.seconds(fields, "HeartbeatSeconds", "HeartbeatSecondsPath");
        if let (Some(Seconds::Fixed(timeout)), Some(Seconds::Fixed(heartbeat))) =
            (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            self.found.push(Diagnostic::schema(
                fields.below("HeartbeatSeconds"),
                "The field 'HeartbeatSeconds' must be smaller than 'TimeoutSeconds'",
            ));
        }
        let role_arn = self.credentials(fields);
        let place = fields.below("Resource");
        let text = fields.text("Resource", &mut self.found)?;
        Some(Kind::Task(Box::new(TaskState {
            resource: self.resource(text, place)?,
            timeout,
            heartbeat,
            role_arn,
        })))
    }

    fn seconds(
        &mut self,
        fields: &mut Fields<'_>,
        fixed: &'static str,
        path: &'static str,
    ) -> Option<Seconds> {
        fields.only_one(&[fixed, path], &mut self.found);
        let path = fields.path(path, &mut self.found).map(Seconds::Path);
        let fixed = fields.integer(fixed, SECONDS, &mut self.found);
        fixed.map(Seconds::Fixed).or(path)
    }

    fn credentials(&mut self, fields: &mut Fields<'_>) -> Option<TextSource> {
        let place = fields.below("Credentials");
        let value = fields.value("Credentials")?;
        let mut inner = Fields::of(value, place, &mut self.found);
        if !inner.has("RoleArn") && !inner.has("RoleArn.$") {
            // Recorded.
            self.found.push(Diagnostic::schema(
                inner.place(),
                "The field 'RoleArn' is required but was missing",
            ));
        }
        let role = self.text_source(&mut inner, "RoleArn", "RoleArn.$");
        inner.finish(&mut self.found);
        role
    }

    fn resource(&mut self, text: &str, place: String) -> Option<Resource> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        if let ["arn", _, service, _, _, rest] = parts[..] {
            if service == "lambda" && rest.starts_with("function:") {
                return Some(Resource::LambdaFunction {
                    arn: text.to_owned(),
                });
            }
            if service == "states" && rest.starts_with("activity:") {
                self.unsupported(place, "activities; use a Lambda function");
                return None;
            }
            if service == "states"
                && let Some((service, action)) = rest.rsplit_once(':')
                && !service.is_empty()
                && !action.is_empty()
            {
                return self.integration(rest, service, action, place);
            }
        }
        // Measured.
        self.found.push(Diagnostic::schema(
            place,
            format!(
                "The resource provided {text} is not recognized. The value is not a valid resource \
                 ARN, or the resource is not available in this region."
            ),
        ));
        None
    }

    fn integration(
        &mut self,
        rest: &str,
        service: &str,
        action: &str,
        place: String,
    ) -> Option<Resource> {
        if rest.contains(".sync") || rest.ends_with(".waitForTaskToken") {
            self.unsupported(
                place,
                "the integration patterns .sync and .waitForTaskToken; use request and response",
            );
            return None;
        }
        Some(Resource::Service {
            service: service.to_owned(),
            action: action.to_owned(),
        })
    }

    fn wait(&mut self, fields: &mut Fields<'_>) -> Option<Kind> {
        const FIELDS: [&str; 4] = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        fields.only_one(&FIELDS, &mut self.found);
        if !FIELDS.iter().any(|name| fields.has(name)) {
            self.found.push(Diagnostic::schema(
                fields.place(),
                format!("One of these fields is required: [{}]", FIELDS.join(", ")),
            ));
        }
        let found = &mut self.found;
        let seconds = fields.integer("Seconds", 0..=99_999_999, found);
        let seconds_path = fields.path("SecondsPath", found);
        let timestamp_path = fields.path("TimestampPath", found);
        let timestamp = fields.text("Timestamp", found).and_then(|text| {
            let parsed = choice::timestamp(text).ok_or_else(|| format!("'{text}' is none"));
            fields.parsed("Timestamp", "an ISO-8601 timestamp", parsed, found)
        });
        let until = seconds
            .map(Until::Seconds)
            .or(seconds_path.map(Until::SecondsPath))
            .or(timestamp.map(Until::Timestamp))
            .or(timestamp_path.map(Until::TimestampPath));
        until.map(Kind::Wait)
    }

    fn choice(&mut self, fields: &mut Fields<'_>, id: usize, graph: &mut Graph<'_>) -> Kind {
        fields.required(&["Choices"], &mut self.found);
        let choices = self.choices(fields, id, graph);
        let default = self.target(fields, "Default", id, graph);
        Kind::Choice(ChoiceState { choices, default })
    }

    fn parallel(&mut self, fields: &mut Fields<'_>) -> Option<Kind> {
        fields.required(&["Branches"], &mut self.found);
        let place = fields.below("Branches");
        let list = fields.list("Branches", &mut self.found)?;
        if list.is_empty() {
            // Recorded.
            self.found
                .push(Diagnostic::schema(place, "Value cannot be empty"));
            return None;
        }
        let mut branches = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            let branch = Fields::of(value, format!("{place}[{at}]"), &mut self.found);
            branches.push(self.scope(branch));
        }
        Some(Kind::Parallel(branches))
    }

    fn map(&mut self, fields: &mut Fields<'_>) -> Option<Kind> {
        const DISTRIBUTED: [&str; 8] = [
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "Label",
            "ToleratedFailureCount",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentage",
            "ToleratedFailurePercentagePath",
        ];
        for name in DISTRIBUTED {
            if fields.value(name).is_some() {
                self.unsupported(fields.below(name), "distributed Map and its fields");
            }
        }
        fields.only_one(&["ItemProcessor", "Iterator"], &mut self.found);
        fields.only_one(&["ItemSelector", "Parameters"], &mut self.found);
        fields.only_one(&["MaxConcurrency", "MaxConcurrencyPath"], &mut self.found);
        let items_path = fields.path("ItemsPath", &mut self.found);
        let item_selector = self.template(fields, "ItemSelector");
        let path = fields.path("MaxConcurrencyPath", &mut self.found);
        let fixed = fields.integer("MaxConcurrency", 0..=u64::MAX, &mut self.found);
        let name = if fields.has("Iterator") {
            "Iterator"
        } else {
            fields.required(&["ItemProcessor"], &mut self.found);
            "ItemProcessor"
        };
        let place = fields.below(name);
        let value = fields.value(name)?;
        let mut processor = Fields::of(value, place, &mut self.found);
        self.processor_config(&mut processor);
        Some(Kind::Map(MapState {
            items_path: items_path.unwrap_or(Path::whole()),
            item_selector,
            processor: self.scope(processor),
            max_concurrency: fixed.map(Seconds::Fixed).or(path.map(Seconds::Path)),
        }))
    }

    fn processor_config(&mut self, processor: &mut Fields<'_>) {
        let place = processor.below("ProcessorConfig");
        let Some(value) = processor.value("ProcessorConfig") else {
            return;
        };
        let mut config = Fields::of(value, place, &mut self.found);
        let mode = config.text("Mode", &mut self.found);
        let execution_type = config.text("ExecutionType", &mut self.found);
        let place = config.below("Mode");
        match mode {
            None | Some("INLINE") if execution_type.is_some() => {
                self.found.push(Diagnostic::schema(
                    config.below("ExecutionType"),
                    "The field 'ExecutionType' is only for the Mode DISTRIBUTED",
                ));
            }
            None | Some("INLINE") => {}
            Some("DISTRIBUTED") => {
                self.unsupported(place, "the Mode DISTRIBUTED of a Map; use INLINE");
            }
            Some(_) => self.found.push(Diagnostic::schema(
                place,
                "The field 'Mode' should have one of these values: [INLINE, DISTRIBUTED]",
            )),
        }
        config.finish(&mut self.found);
    }
}
