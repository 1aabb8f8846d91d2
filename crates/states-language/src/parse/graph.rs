//! Where transitions lead: each to a state, one at least to every state, one at least to an end.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic},
    machine::StateId,
};

pub(super) struct Graph<'a> {
    /// Where the states stand.
    at: String,
    names: &'a [&'a str],
    ids: BTreeMap<&'a str, StateId>,
    edges: Vec<(StateId, StateId)>,
    ends: bool,
}

impl<'a> Graph<'a> {
    pub(super) fn new(names: &'a [&'a str], at: String) -> Self {
        Self {
            at,
            names,
            ids: names
                .iter()
                .enumerate()
                .map(|(id, name)| (*name, id))
                .collect(),
            edges: Vec::new(),
            ends: false,
        }
    }

    pub(super) fn id(&self, name: &str) -> StateId {
        self.ids.get(name).copied().unwrap_or_default()
    }

    /// The state of that name. Text and place are recorded for `Next`.
    pub(super) fn target(
        &self,
        name: &str,
        place: &str,
        field: &str,
        found: &mut Vec<Diagnostic>,
    ) -> Option<StateId> {
        let target = self.ids.get(name).copied();
        if target.is_none() {
            found.push(Diagnostic::new(
                Code::MissingTransitionTarget,
                place,
                format!("Missing '{field}' target: {name}"),
            ));
        }
        target
    }

    pub(super) fn edge(&mut self, from: StateId, to: StateId) {
        self.edges.push((from, to));
    }

    /// Some state is terminal.
    pub(super) fn end(&mut self) {
        self.ends = true;
    }

    pub(super) fn finish(self, start: Option<StateId>, found: &mut Vec<Diagnostic>) {
        if !self.ends {
            // Text and missing place are measured.
            found.push(Diagnostic {
                code: Code::MissingEndState,
                message: "Workflow has no terminal state".to_owned(),
                location: None,
            });
        }
        let Some(start) = start else { return };
        let mut outgoing = vec![Vec::new(); self.names.len()];
        for (from, to) in self.edges {
            outgoing[from].push(to);
        }
        let mut reached = vec![false; self.names.len()];
        let mut open = vec![start];
        while let Some(id) = open.pop() {
            if !std::mem::replace(&mut reached[id], true) {
                open.extend(&outgoing[id]);
            }
        }
        for (name, _) in self
            .names
            .iter()
            .zip(reached)
            .filter(|(_, reached)| !reached)
        {
            found.push(Diagnostic::new(
                Code::MissingTransitionTarget,
                format!("{}/{name}", self.at),
                format!("State \"{name}\" is not reachable."),
            ));
        }
    }
}
