//! What a caller attached to the conversation, and what an answer says about it: citations of
//! documents and search results, a sentence about images and files.

use crate::{
    answer::cite,
    answer_plan::{Citation, Location},
    conversation::{Block, Conversation, Role},
    media::{Document, Image, Source},
};

/// The documents, search results and images of a conversation, each counted on its own.
#[derive(Debug)]
pub(crate) struct Sources<'c> {
    documents: Vec<&'c Document>,
    found: Vec<Found<'c>>,
    /// Of the last message only.
    images: Vec<&'c Image>,
}

#[derive(Debug)]
struct Found<'c> {
    source: &'c str,
    title: &'c str,
    text: &'c str,
    citations: bool,
}

/// A part of an answer that cites.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) citation: Option<Citation>,
}

/// An answer cites at most that many passages.
const MOST: usize = 3;

impl<'c> Sources<'c> {
    pub(crate) fn of(conversation: &'c Conversation) -> Self {
        let mut sources = Self {
            documents: Vec::new(),
            found: Vec::new(),
            images: Vec::new(),
        };
        let last = conversation.turns.len();
        for (t, turn) in conversation.turns.iter().enumerate() {
            if turn.role == Role::User {
                sources.read(&turn.blocks, t + 1 == last);
            }
        }
        sources
    }

    fn read(&mut self, blocks: &'c [Block], last: bool) {
        for block in blocks {
            match block {
                Block::Document(document) => self.documents.push(document),
                Block::SearchResult {
                    source,
                    title,
                    text,
                    citations,
                } => self.found.push(Found {
                    source,
                    title,
                    text,
                    citations: *citations,
                }),
                Block::Image(image) if last => self.images.push(image),
                Block::ToolResult { parts, .. } => self.read(parts, last),
                _ => {}
            }
        }
    }

    /// Whether the answer shall cite.
    pub(crate) fn cited(&self) -> bool {
        self.documents.iter().any(|document| document.citations)
            || self.found.iter().any(|found| found.citations)
    }

    /// Words with citations: what the sources say about the prompt.
    pub(crate) fn answer(&self, prompt: &str) -> Vec<Piece> {
        let mut cited = Vec::new();
        for (number, document) in self.documents.iter().enumerate() {
            if document.citations {
                cited.extend(cite_document(document, number, prompt));
            }
        }
        for (index, found) in self.found.iter().enumerate() {
            if !found.citations {
                continue;
            }
            let best = cite::passages(found.text, prompt, 1);
            cited.extend(best.into_iter().map(|passage| Citation {
                location: Location::SearchResult {
                    source: found.source.to_owned(),
                    index,
                },
                title: found.title.to_owned(),
                text: passage.text,
            }));
        }
        cited.truncate(MOST);
        let mut pieces: Vec<Piece> = Vec::new();
        for citation in cited {
            let said = citation.text.trim().to_owned();
            if !pieces.is_empty() {
                pieces.push(Piece {
                    text: " ".to_owned(),
                    citation: None,
                });
            }
            pieces.push(Piece {
                text: said,
                citation: Some(citation),
            });
        }
        if pieces.is_empty() {
            pieces.push(Piece {
                text: "The sources say nothing.".to_owned(),
                citation: None,
            });
        }
        pieces
    }

    /// A sentence about what is attached, unless the prompt asks for a length.
    pub(crate) fn mentioned(&self, prompt: &str) -> Option<String> {
        let nothing = self.images.is_empty() && self.documents.is_empty();
        if nothing || crate::answer::text::has_asked_length(prompt) {
            return None;
        }
        let mut said = Vec::new();
        for image in &self.images {
            let format = image.media.format.to_uppercase();
            let format = if format.is_empty() { "image" } else { &format };
            said.push(match image.pixels {
                Some((width, height)) => {
                    format!("The picture is a {format} of {width} × {height} pixels.")
                }
                None => format!("The picture is a {format}."),
            });
        }
        for document in &self.documents {
            let first = cite::passages(&document.text, prompt, 1);
            let name = match document.name.as_str() {
                "" => "The document".to_owned(),
                name => format!("The document “{name}”"),
            };
            said.push(match first.first() {
                Some(passage) => format!("{name} says: “{}”", passage.text.trim()),
                None => format!("{name} is a {} file.", document.media.format),
            });
        }
        (!said.is_empty()).then(|| said.join(" "))
    }
}

fn cite_document(document: &Document, number: usize, prompt: &str) -> Vec<Citation> {
    let citation = |location, text| Citation {
        location,
        title: document.name.clone(),
        text,
    };
    if document.text.is_empty() {
        // A PDF's text is not extracted; its first page stands for all of it.
        let said = document.context.as_ref().unwrap_or(&document.name);
        let location = Location::Pages {
            document: number,
            start: 1,
            end: 2,
        };
        return vec![citation(location, said.clone())];
    }
    let passages = cite::passages(&document.text, prompt, 2).into_iter();
    let cited = passages.map(|passage| {
        let location = if document.media.source == Source::Content {
            let block = document.text.chars().take(passage.start);
            let block = block.filter(|c| *c == '\n').count();
            Location::Blocks {
                document: number,
                start: block,
                end: block + 1,
            }
        } else {
            Location::Characters {
                document: number,
                start: passage.start,
                end: passage.end,
            }
        };
        citation(location, passage.text)
    });
    cited.collect()
}
