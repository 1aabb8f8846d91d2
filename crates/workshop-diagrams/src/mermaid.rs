//! The renderer, and what it understood of the text.

use std::collections::BTreeMap;

use merman::{
    Engine, MermaidConfig, OperationControl, ParseOptions, RenderOutput, RenderRequest, Renderer,
    SvgEnvironment, SvgRequest,
    svg::{
        DeterministicTextMeasurer, MeasurementProfileId, SvgRenderOptions, TextMeasurementPolicy,
        TextMeasurementProfile, TextMeasurementProfileIdentity, TextStyle,
    },
};
use serde_json::{Value, json};

use crate::{
    draw::{DrawError, Edge, Graph},
    font,
};

/// The kinds of diagram whose parts we name and theme.
const KINDS: &str = "a flowchart, a sequence diagram or a state diagram";

/// What the text says, and the renderer's own SVG of it.
pub(crate) fn render(source: &str, id: &str) -> Result<(Graph, String), DrawError> {
    let engine = Engine::new().with_site_config(MermaidConfig::from_value(config()));
    let parsed = engine
        .parse_diagram_sync(source, ParseOptions::strict())
        .map_err(|error| parse_error(&error, source))?
        .ok_or_else(|| whole("there is no diagram in the fence", KINDS))?;
    let kind = parsed.meta.diagram_type.clone();
    let graph = graph(&kind, &parsed.model.into_unmanaged_value())?;
    let renderer = Renderer::new()
        .with_engine(engine)
        .with_parse_options(ParseOptions::strict());
    let request = SvgRequest {
        environment: environment()?,
        options: SvgRenderOptions {
            diagram_id: Some(id.to_owned()),
            ..SvgRenderOptions::default()
        },
        ..SvgRequest::default()
    };
    match renderer.render(RenderRequest::svg(source, OperationControl::new(), request)) {
        Ok(RenderOutput::Svg(Some(svg))) => Ok((graph, svg.svg().to_owned())),
        Ok(_) => Err(whole("the renderer drew nothing", KINDS)),
        Err(error) => Err(whole(&error.to_string(), "simplify the diagram")),
    }
}

/// Text as `<text>` (an HTML label cannot be themed under a strict CSP), plain shapes, and boxes
/// no wider than their words.
fn config() -> Value {
    json!({
        "theme": "default",
        "look": "classic",
        "layout": "dagre",
        "htmlLabels": false,
        "fontFamily": "Atkinson Hyperlegible Next",
        "fontSize": 16,
        "minNodeWidth": 64,
        "flowchart": {
            "htmlLabels": false,
            "wrappingWidth": 400,
            "minNodeWidth": 64,
            "nodeSpacing": 28,
            "rankSpacing": 44,
            "padding": 11,
            "subGraphTitleMargin": { "top": 4, "bottom": 12 },
        },
        "state": { "htmlLabels": false, "minNodeWidth": 64 },
        "sequence": { "mirrorActors": false, "height": 48 },
    })
}

/// Measures with [`font`] instead of the renderer's built-in fonts.
fn environment() -> Result<SvgEnvironment, DrawError> {
    let failed = |error: &dyn std::fmt::Display| whole(&error.to_string(), "report it as a bug");
    let id = MeasurementProfileId::new("workshop.atkinson").map_err(|e| failed(&e))?;
    let identity =
        TextMeasurementProfileIdentity::new(id, "1".to_owned()).map_err(|e| failed(&e))?;
    let measurer = DeterministicTextMeasurer::default()
        .with_width_callback(|text: &str, style: &TextStyle| font::width(text, style.font_size));
    let policy = TextMeasurementPolicy::uniform(TextMeasurementProfile::new(identity, measurer));
    Ok(SvgEnvironment::deterministic().with_text_measurement_policy(policy))
}

fn whole(message: &str, cure: &str) -> DrawError {
    DrawError {
        line: 0,
        message: message.to_owned(),
        cure: cure.to_owned(),
    }
}

fn parse_error(error: &merman::Error, source: &str) -> DrawError {
    match error {
        merman::Error::DiagramParse { diagnostic, .. } => DrawError {
            line: diagnostic
                .span()
                .map_or(0, |span| line_of(source, span.start)),
            message: diagnostic.message().to_owned(),
            cure: "mend the Mermaid text; labels with brackets or quotes go into double quotes"
                .to_owned(),
        },
        merman::Error::DetectType(_) | merman::Error::UnsupportedDiagram { .. } => DrawError {
            line: 1,
            message: error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            cure: format!("draw {KINDS}"),
        },
        other => whole(&other.to_string(), "mend the head of the Mermaid text"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .split(|&byte| byte == b'\n')
        .count()
}

fn graph(kind: &str, model: &Value) -> Result<Graph, DrawError> {
    let mut graph = match kind {
        "sequence" => sequence(model),
        kind if kind.starts_with("flowchart") => flowchart(model),
        kind if kind.starts_with("state") => state(model),
        other => {
            return Err(whole(
                &format!("a diagram of the kind `{other}` is not supported"),
                &format!("draw {KINDS}"),
            ));
        }
    };
    graph.title = text_of(model, "accTitle");
    graph.desc = text_of(model, "accDescr");
    number_edges(&mut graph.edges);
    Ok(graph)
}

fn flowchart(model: &Value) -> Graph {
    let mut nodes = labels(list(model, "nodes"), "label");
    let groups = labels(list(model, "subgraphs"), "title");
    let edges = edges(list(model, "edges"), "from", "to");
    // A group is a node where an edge ends at it.
    for edge in &edges {
        for end in [&edge.from, &edge.to] {
            if let (false, Some(title)) = (nodes.contains_key(end), groups.get(end)) {
                nodes.insert(end.clone(), title.clone());
            }
        }
    }
    Graph {
        nodes,
        edges,
        ..Graph::default()
    }
}

fn state(model: &Value) -> Graph {
    let mut nodes = labels(list(model, "nodes"), "label");
    for node in list(model, "nodes") {
        let name = match text_of(node, "shape").as_deref() {
            Some("stateStart") => "start",
            Some("stateEnd") => "end",
            _ => continue,
        };
        if let Some(id) = text_of(node, "id") {
            nodes.insert(id, name.to_owned());
        }
    }
    Graph {
        nodes,
        edges: edges(list(model, "edges"), "start", "end"),
        ..Graph::default()
    }
}

fn sequence(model: &Value) -> Graph {
    let nodes = model
        .get("actors")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(id, actor)| (id.clone(), label(actor, "description", id)))
        .collect();
    let edges = list(model, "messages")
        .iter()
        .filter(|message| is_arrow(message))
        .filter_map(|message| {
            let raw_id = format!("i{}", text_of(message, "id")?);
            Some(Edge {
                raw_id,
                id: String::new(),
                from: text_of(message, "from")?,
                to: text_of(message, "to")?,
                label: label(message, "message", ""),
            })
        })
        .collect();
    Graph {
        nodes,
        edges,
        ..Graph::default()
    }
}

/// Notes and frames stand among the messages; they have a placement or no partner.
fn is_arrow(message: &Value) -> bool {
    message.get("placement").is_none_or(Value::is_null)
        && message.get("from").is_some_and(Value::is_string)
        && message.get("to").is_some_and(Value::is_string)
}

fn list<'a>(model: &'a Value, key: &str) -> &'a [Value] {
    model
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn labels(list: &[Value], key: &str) -> BTreeMap<String, String> {
    list.iter()
        .filter_map(|value| {
            let id = text_of(value, "id")?;
            let label = label(value, key, &id);
            Some((id, label))
        })
        .collect()
}

fn edges(list: &[Value], from: &str, to: &str) -> Vec<Edge> {
    list.iter()
        .filter_map(|value| {
            Some(Edge {
                raw_id: text_of(value, "id")?,
                id: String::new(),
                from: text_of(value, from)?,
                to: text_of(value, to)?,
                label: label(value, "label", ""),
            })
        })
        .collect()
}

/// A label as one line of plain text.
fn label(value: &Value, key: &str, default: &str) -> String {
    let Some(text) = text_of(value, key) else {
        return default.to_owned();
    };
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, tag)) = rest.split_once('<') {
        let Some((tag, after)) = tag.split_once('>') else {
            break;
        };
        plain.push_str(before);
        if tag.trim_end_matches(['/', ' ']).eq_ignore_ascii_case("br") {
            plain.push_str(", ");
        }
        rest = after;
    }
    plain.push_str(rest);
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        plain = plain.replace(entity, character);
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn number_edges(edges: &mut [Edge]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for edge in edges {
        let pair = format!("{}-{}", edge.from, edge.to);
        let count = seen.entry(pair.clone()).or_insert(0);
        edge.id = match *count {
            0 => pair,
            n => format!("{pair}-{n}"),
        };
        *count += 1;
    }
}
