//! The renderer's SVG made ours: classes and `data-…` attributes instead of styles and ids.
//!
//! Nothing is carried over that is not named here: elements we do not know are left out, and so is
//! every attribute but geometry. What a style said is read where it matters (an author's fill, a
//! dashed line) and becomes an attribute or a class.

mod geometry;

use std::collections::{BTreeMap, BTreeSet};

use self::geometry::{centred, contains, copy_geometry, number, outline, rounded, style_value};

use crate::{
    colour::{Rgb, text_class},
    draw::{DrawError, Graph},
    font,
    xml::{Element, Node, parse},
};

/// Attributes of arrowheads.
const MARKER: [&str; 8] = [
    "viewBox",
    "refX",
    "refY",
    "markerUnits",
    "markerWidth",
    "markerHeight",
    "orient",
    "id",
];

/// Least widths that `diagram.css` has classes for, in rem of 16 px. Below seven tenths of its
/// size a drawing scrolls, instead of becoming unreadable.
const MIN_WIDTHS: [u32; 6] = [24, 32, 40, 48, 56, 64];
const SCALE_MIN: f64 = 0.7;

/// Distance of a group's title from its frame.
const TITLE_INSET: f64 = 12.0;

/// Units of the first line's baseline below the top of a label, and between two lines, at the font
/// size of 16.
const BASELINE: f64 = 15.0;
const LINE: f64 = 17.6;

/// Font size and line height of an edge's words.
const EDGE_FONT: f64 = 14.0;
const EDGE_LINE: f64 = 16.0;

/// See the module.
pub(crate) fn restyle(
    svg: &str,
    id: &str,
    graph: &Graph,
    title: &str,
    desc: &str,
) -> Result<String, DrawError> {
    let root = parse(svg).map_err(|message| DrawError {
        line: 0,
        message: format!("the renderer's SVG cannot be read: {message}"),
        cure: "report it as a bug".to_owned(),
    })?;
    let mut restyler = Restyler {
        id,
        graph,
        edge_ids: graph
            .edges
            .iter()
            .map(|edge| (edge.raw_id.clone(), edge.id.clone()))
            .collect(),
        clusters: Vec::new(),
        markers: BTreeSet::new(),
        unknown_fill: None,
    };
    let children = restyler.children(&root, &Place::default());
    if let Some(fill) = restyler.unknown_fill {
        return Err(DrawError {
            line: 0,
            message: format!("the colour `{fill}` is not understood"),
            cure: "write it as #rrggbb".to_owned(),
        });
    }
    let view_box = root.get("viewBox").unwrap_or("0 0 100 100").to_owned();
    let size: Vec<f64> = view_box
        .split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect();
    let (width, height) = match size[..] {
        [_, _, width, height] => (width, height),
        _ => (100.0, 100.0),
    };
    let kind = root.get("aria-roledescription").unwrap_or_default();
    let kind = match kind {
        kind if kind.starts_with("flowchart") => "flowchart",
        kind if kind.starts_with("state") => "state",
        other => other,
    };
    let least = MIN_WIDTHS
        .into_iter()
        .rfind(|rem| f64::from(*rem) * 16.0 <= width * SCALE_MIN);
    let class = match least {
        Some(rem) => format!("{kind} min-{rem}"),
        None => kind.to_owned(),
    };
    let mut out = Element::new("svg")
        .with("xmlns", "http://www.w3.org/2000/svg")
        .with("id", id)
        .with("class", class)
        .with("viewBox", rounded(&view_box))
        .with("width", number(width))
        .with("height", number(height))
        .with("font-size", "16")
        .with("role", "img")
        .with("aria-labelledby", format!("{id}-title {id}-desc"));
    let described = [("title", title), ("desc", desc)].map(|(name, text)| {
        Node::Element(
            Element::new(name)
                .with("id", format!("{id}-{name}"))
                .text(text),
        )
    });
    out.children.extend(described);
    out.children.extend(restyler.defs(&root));
    out.children.extend(children);
    Ok(out.write() + "\n")
}

/// What surrounds an element.
#[derive(Debug, Clone, Default)]
struct Place {
    /// Class of texts, from the fill they stand on.
    text: &'static str,
    /// Words are centred here whatever the renderer meant (its style sheet is gone).
    centred: bool,
}

struct Restyler<'a> {
    id: &'a str,
    graph: &'a Graph,
    /// The renderer's id → ours.
    edge_ids: BTreeMap<String, String>,
    /// Outlines of the groups so far (x, y, width, height), to find those inside others.
    clusters: Vec<[f64; 4]>,
    /// Ids of the arrowheads in use.
    markers: BTreeSet<String>,
    unknown_fill: Option<String>,
}

impl Restyler<'_> {
    fn children(&mut self, parent: &Element, place: &Place) -> Vec<Node> {
        let mut out = Vec::new();
        let elements: Vec<&Element> = parent.elements().collect();
        for (i, element) in elements.iter().enumerate() {
            // A message's words stand right before its arrow.
            let arrow = elements[i..]
                .iter()
                .skip(1)
                .find(|e| e.get("data-et") == Some("message"))
                .and_then(|e| self.edge_ids.get(e.get("data-id")?));
            let message = arrow.filter(|_| element.has_class("messageText")).cloned();
            out.extend(self.element(element, place, message));
        }
        out
    }

    fn element(&mut self, element: &Element, place: &Place, message: Option<String>) -> Vec<Node> {
        let made = match element.name.as_str() {
            "g" => return self.group(element, place),
            "text" => match message {
                Some(edge) => words(element, place).map(|text| {
                    let mut group = Element::new("g")
                        .with("class", "edge-label")
                        .with("data-edge", edge);
                    group.children.push(Node::Element(text));
                    group
                }),
                None => words(element, place),
            },
            "path" | "line" if element.get("data-edge").is_some() => Some(self.edge(element)),
            "path" | "line" if element.get("data-et") == Some("message") => {
                Some(self.edge(element))
            }
            "path" | "line" | "rect" | "polygon" | "polyline" | "circle" | "ellipse" => {
                self.shape(element)
            }
            _ => None,
        };
        made.map(Node::Element).into_iter().collect()
    }

    /// A group with a meaning gets its class; any other is kept only if it moves what is inside.
    fn group(&mut self, element: &Element, place: &Place) -> Vec<Node> {
        let group = ["cluster", "statediagram-cluster"];
        let made = if group.iter().any(|class| element.has_class(class)) {
            Some(self.cluster(element))
        } else if element.has_class("node") {
            Some(self.node(element))
        } else if element.has_class("edgeLabel") {
            self.edge_label(element)
        } else if let Some(actor) = actor_of(element) {
            Some(self.actor(element, actor))
        } else if element.get("data-et") == Some("note") {
            let mut group = Element::new("g").with("class", "remark");
            group.children = self.children(element, place);
            Some(group)
        } else {
            let children = self.children(element, place);
            let Some(transform) = element.get("transform").filter(|_| !children.is_empty()) else {
                return children;
            };
            let transform = if place.centred {
                centred(transform)
            } else {
                rounded(transform)
            };
            let mut group = Element::new("g").with("transform", transform);
            group.children = children;
            Some(group)
        };
        made.map(Node::Element).into_iter().collect()
    }

    fn node(&mut self, element: &Element) -> Element {
        let raw = element.get("id").unwrap_or_default();
        let mut group = Element::new("g").with("class", "node");
        if let Some(node) = self.node_id(raw) {
            group = group.with("data-node", node);
        }
        if let Some(transform) = element.get("transform") {
            group = group.with("transform", rounded(transform));
        }
        let place = Place {
            text: self.text_class_of(element),
            centred: true,
        };
        group.children = match pseudo_state(element) {
            Some(shapes) => shapes,
            None => self.children(element, &place),
        };
        group
    }

    /// `BR` of `{prefix}-flowchart-BR-4`.
    fn node_id(&self, raw: &str) -> Option<String> {
        let rest = raw.strip_prefix(self.id)?.strip_prefix('-')?;
        let rest = rest
            .strip_prefix("flowchart-")
            .or_else(|| rest.strip_prefix("state-"))?;
        let (node, _) = rest.rsplit_once('-')?;
        self.graph.nodes.contains_key(node).then(|| node.to_owned())
    }

    fn cluster(&mut self, element: &Element) -> Element {
        let all = element.descendants();
        // A composite state has a second frame below its title; one is enough.
        let frame = all
            .iter()
            .find(|e| e.name == "rect" && !e.has_class("inner") && e.get("width").is_some());
        let outline = frame.map(|frame| outline(frame)).unwrap_or_default();
        let inner = self.clusters.iter().any(|outer| contains(outer, &outline));
        self.clusters.push(outline);
        let class = if inner { "cluster inner" } else { "cluster" };
        let id = element.get("id").unwrap_or_default();
        let id = element.get("data-id").unwrap_or_else(|| {
            id.strip_prefix(self.id)
                .unwrap_or(id)
                .trim_start_matches('-')
        });
        let mut group = Element::new("g")
            .with("class", class)
            .with("data-cluster", id);
        if self.graph.nodes.contains_key(id) {
            group = group.with("data-node", id);
        }
        let place = Place {
            text: self.text_class_of(element),
            ..Place::default()
        };
        let frame = frame.and_then(|frame| self.shape(frame));
        group.children.extend(frame.map(Node::Element));
        if let Some(title) = all.iter().find(|e| e.has_class("cluster-label")) {
            // At the left, where no edge that enters the group can cross the words.
            let (x, y) = (outline[0] + TITLE_INSET, outline[1] + TITLE_INSET / 3.0);
            let mut label = Element::new("g").with(
                "transform",
                format!("translate({},{})", number(x), number(y)),
            );
            label.children = self.children(title, &place);
            group.children.push(Node::Element(label));
        }
        group
    }

    /// An edge's words on a plate, both centred on the label's place (the renderer centres them for
    /// another font, and differently in each kind of diagram). Nothing for an edge without words.
    fn edge_label(&self, element: &Element) -> Option<Element> {
        let all = element.descendants();
        let rows: Vec<String> = all
            .iter()
            .filter(|e| e.name == "tspan" && e.has_class("row"))
            .map(|row| row.plain_text().trim().to_owned())
            .filter(|row| !row.is_empty())
            .collect();
        if rows.is_empty() {
            return None;
        }
        let mut group = Element::new("g").with("class", "edge-label");
        let raw = all.iter().find_map(|e| e.get("data-id"));
        if let Some(edge) = raw.and_then(|raw| self.edge_ids.get(raw)) {
            group = group.with("data-edge", edge.clone());
        }
        if let Some(transform) = element.get("transform") {
            group = group.with("transform", rounded(transform));
        }
        let words = rows.iter().map(|row| font::width(row, EDGE_FONT));
        let width = words.fold(0.0, f64::max) + 8.0;
        let lines = f64::from(u16::try_from(rows.len()).unwrap_or(u16::MAX));
        let height = lines * EDGE_LINE + 4.0;
        let plate = Element::new("rect")
            .with("x", number(-width / 2.0))
            .with("y", number(-height / 2.0))
            .with("width", number(width))
            .with("height", number(height))
            .with("rx", "3");
        let mut text = Element::new("text")
            .with("text-anchor", "middle")
            .with("font-size", number(EDGE_FONT));
        let mut y = EDGE_LINE * 0.82 - lines * EDGE_LINE / 2.0;
        for row in rows {
            let line = Element::new("tspan").with("x", "0").with("y", number(y));
            text.children.push(Node::Element(line.text(row)));
            y += EDGE_LINE;
        }
        group.children = vec![Node::Element(plate), Node::Element(text)];
        Some(group)
    }

    fn actor(&mut self, element: &Element, actor: String) -> Element {
        let mut group = Element::new("g")
            .with("class", "node")
            .with("data-node", actor);
        group.children = self.children(element, &Place::default());
        group
    }

    fn edge(&mut self, element: &Element) -> Element {
        let mut classes = vec!["edge"];
        let style = element.get("style").unwrap_or_default();
        if element.has_class("edge-pattern-dotted")
            || element.has_class("edge-pattern-dashed")
            || element.has_class("messageLine1")
        {
            classes.push("dashed");
        }
        if element.has_class("edge-thickness-thick") {
            classes.push("thick");
        }
        let mut edge = Element::new(&element.name).with("class", classes.join(" "));
        let raw = element.get("data-id").unwrap_or_default();
        if let Some(id) = self.edge_ids.get(raw) {
            edge = edge.with("data-edge", id.clone());
        }
        copy_geometry(element, &mut edge);
        // An invisible edge (`~~~`) only keeps nodes apart.
        let invisible =
            element.has_class("edge-thickness-invisible") || style.contains("opacity:0");
        for name in ["marker-start", "marker-end"] {
            let marker = element
                .get(name)
                .and_then(|url| url.strip_prefix("url(#"))
                .and_then(|url| url.strip_suffix(')'));
            if let Some(marker) = marker.filter(|_| !invisible) {
                self.markers.insert(marker.to_owned());
                edge = edge.with(name, format!("url(#{})", self.marker_id(marker)));
            }
        }
        if invisible {
            edge = edge.with("visibility", "hidden");
        }
        edge
    }

    /// `{id}-pointEnd` of `{id}_flowchart-v2-pointEnd`.
    fn marker_id(&self, raw: &str) -> String {
        let name = raw.rsplit(['_', '-']).next().unwrap_or(raw);
        format!("{}-{name}", self.id)
    }

    fn shape(&mut self, element: &Element) -> Option<Element> {
        let class = if element.has_class("actor-line") {
            "lifeline"
        } else if element.has_class("loopLine") || element.has_class("rect") {
            "frame"
        } else {
            "shape"
        };
        if element.name == "rect" {
            // Empty plates behind words, which only the renderer's style sheet would show.
            let empty = element.get("width").is_none() || element.get("height").is_none();
            if empty || element.has_class("background") {
                return None;
            }
        }
        let style = element.get("style").unwrap_or_default();
        let outline = element.get("fill") == Some("none") && element.name == "path";
        let mut classes = vec![class];
        let dashes = style_value(style, "stroke-dasharray");
        if dashes
            .or_else(|| element.get("stroke-dasharray"))
            .is_some_and(|dashes| dashes.contains(|c: char| ('1'..='9').contains(&c)))
        {
            classes.push("dashed");
        }
        let mut shape = Element::new(&element.name).with("class", classes.join(" "));
        copy_geometry(element, &mut shape);
        if element.name == "rect" && shape.get("rx").is_none() {
            shape = shape.with("rx", "4");
        }
        if outline {
            return Some(shape.with("fill", "none"));
        }
        match self.fill_of(element) {
            Some(fill) => Some(shape.with("fill", fill.hex())),
            None => Some(shape),
        }
    }

    /// The author's colour of a shape. The renderer writes its own colours as attributes, the
    /// author's as a style.
    fn fill_of(&mut self, element: &Element) -> Option<Rgb> {
        let fill = style_value(element.get("style")?, "fill")?;
        if fill == "none" {
            return None;
        }
        let rgb = Rgb::parse(fill);
        if rgb.is_none() {
            self.unknown_fill = Some(fill.to_owned());
        }
        rgb
    }

    fn text_class_of(&mut self, element: &Element) -> &'static str {
        let shapes: Vec<Element> = element.descendants().into_iter().cloned().collect();
        shapes
            .iter()
            .filter(|e| e.name != "text" && e.name != "tspan" && e.name != "g")
            .find_map(|shape| self.fill_of(shape))
            .map_or("", text_class)
    }

    /// The arrowheads in use.
    fn defs(&self, root: &Element) -> Option<Node> {
        let mut defs = Element::new("defs");
        for marker in root.descendants() {
            let Some(raw) = marker.get("id").filter(|id| self.markers.contains(*id)) else {
                continue;
            };
            let mut made = Element::new("marker").with("id", self.marker_id(raw));
            for (name, value) in &marker.attributes {
                if name != "id" && MARKER.contains(&name.as_str()) {
                    made = made.with(name, value.clone());
                }
            }
            // A cross is drawn with lines, every other arrowhead is a filled shape.
            let class = if raw.contains("cross") {
                "arrow open"
            } else {
                "arrow"
            };
            for shape in marker.elements() {
                let mut head = Element::new(&shape.name).with("class", class);
                copy_geometry(shape, &mut head);
                made.children.push(Node::Element(head));
            }
            defs.children.push(Node::Element(made));
        }
        (!defs.children.is_empty()).then_some(Node::Element(defs))
    }
}

/// Words, one `<tspan>` a line at a plain position.
fn words(element: &Element, place: &Place) -> Option<Element> {
    let rows: Vec<&Element> = element.elements().filter(|e| e.name == "tspan").collect();
    if element.plain_text().trim().is_empty() {
        return None;
    }
    let mut text = Element::new("text");
    if !place.text.is_empty() {
        text = text.with("class", place.text);
    }
    text = text.with("text-anchor", anchor_of(element, place));
    if rows.iter().any(|row| row.has_class("row")) {
        let mut y = BASELINE;
        for row in rows {
            let line = Element::new("tspan")
                .with("x", "0")
                .with("y", number(y))
                .text(row.plain_text().trim());
            text.children.push(Node::Element(line));
            y += LINE;
        }
        return Some(text);
    }
    copy_geometry(element, &mut text);
    if rows.is_empty() {
        return Some(text.text(element.plain_text().trim()));
    }
    for row in rows {
        let mut line = Element::new("tspan");
        copy_geometry(row, &mut line);
        text.children
            .push(Node::Element(line.text(row.plain_text().trim())));
    }
    Some(text)
}

/// The participant whose box is directly in the group.
fn actor_of(element: &Element) -> Option<String> {
    element
        .elements()
        .find(|e| e.name == "rect" && e.has_class("actor"))?
        .get("name")
        .map(str::to_owned)
}

/// Start and end of a state diagram are drawn with hundreds of curves; circles say the same.
fn pseudo_state(element: &Element) -> Option<Vec<Node>> {
    let circle = |class: &str, r: &str| {
        Node::Element(Element::new("circle").with("class", class).with("r", r))
    };
    let start = element
        .elements()
        .any(|e| e.name == "circle" && e.has_class("state-start"));
    if start {
        return Some(vec![circle("solid", "7")]);
    }
    let end = element.get("id")?.contains("_end-") && element.plain_text().trim().is_empty();
    end.then(|| vec![circle("shape", "7"), circle("solid", "3")])
}

fn anchor_of(element: &Element, place: &Place) -> &'static str {
    let style = element.get("style").unwrap_or_default();
    let inner = element.elements().find_map(|e| e.get("text-anchor"));
    let said = element
        .get("text-anchor")
        .or_else(|| style_value(style, "text-anchor"))
        .or(inner);
    match said {
        _ if place.centred => "middle",
        Some("middle") => "middle",
        Some("end") => "end",
        _ => "start",
    }
}
