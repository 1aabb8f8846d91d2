//! Server-sent events, as far as chat completions use them: lines that begin with `data:`.

/// The longest line that is read.
const LINE_MAX: usize = 1 << 20;

/// Cuts bytes into the data of events.
#[derive(Debug)]
pub(super) struct Events {
    buffer: Vec<u8>,
    /// The whole body is one piece of data: the other side does not stream.
    whole: bool,
}

impl Events {
    pub(super) fn new(whole: bool) -> Self {
        Self {
            buffer: Vec::new(),
            whole,
        }
    }

    /// Takes bytes, gives the data of the events that are complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, String> {
        self.buffer.extend_from_slice(bytes);
        let mut data = Vec::new();
        if !self.whole {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                data.extend(data_of(&line));
            }
        }
        if self.buffer.len() > LINE_MAX {
            return Err("it sent more than a megabyte in one line".to_owned());
        }
        Ok(data)
    }

    /// What is left at the end.
    pub(super) fn end(&mut self) -> Result<Vec<String>, String> {
        let rest = std::mem::take(&mut self.buffer);
        if !self.whole {
            return Ok(data_of(&rest).into_iter().collect());
        }
        let text = String::from_utf8(rest);
        let text = text.map_err(|_| "its answer is not text".to_owned())?;
        Ok(Some(text)
            .filter(|text| !text.is_empty())
            .into_iter()
            .collect())
    }
}

fn data_of(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let data = line.trim_end().strip_prefix("data:")?.trim_start();
    (!data.is_empty()).then(|| data.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_however_the_bytes_come() {
        let mut events = Events::new(false);
        let mut data = Vec::new();
        for piece in [
            "da",
            "ta: a\r\n\r\n: comment\nevent: x\nda",
            "ta:b\n",
            "\ndata: ",
            "c",
        ] {
            data.extend(events.push(piece.as_bytes()).unwrap());
        }
        data.extend(events.end().unwrap());
        assert_eq!(data, ["a", "b", "c"]);
        assert!(events.push(&vec![b'x'; LINE_MAX + 1]).is_err());
    }
}
