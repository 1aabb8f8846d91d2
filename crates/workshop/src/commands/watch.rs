//! `workshop watch`: a verdict on every save.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::mpsc::TryRecvError,
    time::Duration,
};

use anyhow::Context as _;
use crossterm::{
    cursor,
    event::{self, Event as TerminalEvent, KeyCode, KeyEventKind, KeyModifiers},
    execute,
    terminal::{self, ClearType},
};
use time::OffsetDateTime;
use workshop_course::{Course, Exercise};
use workshop_runner::{Outcome, Progress, WatchOptions, Watched, Watcher};

use crate::{cli, exit, report, shutdown, source::Source, style};

const LOOK_AT_KEYS: Duration = Duration::from_millis(40);

pub(crate) fn run(args: &cli::Watch, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let exercise = super::check::chosen(args.id.as_deref(), &course, source)?;
    let options = WatchOptions {
        check: super::check::options(source)?,
        poll: args.poll,
    };
    let watcher = Watcher::start(source.workspace()?.clone(), &exercise.id, options)?;
    let keys = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let _raw = if keys { Some(Raw::enter()?) } else { None };
    let mut screen = Screen {
        source,
        course: &course,
        id: exercise.id.clone(),
        keys,
        confirming_reset: false,
        bar: report::Progress::default(),
    };
    // Without raw mode Ctrl-C is a signal too, not a key.
    let stop = shutdown::cancel_token();
    loop {
        match watcher.events.try_recv() {
            Ok(event) => screen.show(&event),
            Err(TryRecvError::Disconnected) => return Ok(exit::BROKEN_SETUP),
            Err(TryRecvError::Empty) => {
                if stop.is_cancelled() {
                    return Ok(exit::INTERRUPTED);
                }
                let key = if keys { next_key()? } else { pause() };
                if let Some(key) = key
                    && screen.act(key, &watcher)? == Then::Quit
                {
                    screen.print("\n");
                    return Ok(exit::OK);
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Hint,
    List,
    Next,
    Reset,
    Again,
    Yes,
    Quit,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Stay,
    Quit,
}

fn pause() -> Option<Key> {
    std::thread::sleep(LOOK_AT_KEYS);
    None
}

fn next_key() -> anyhow::Result<Option<Key>> {
    if !event::poll(LOOK_AT_KEYS)? {
        return Ok(None);
    }
    let TerminalEvent::Key(key) = event::read()? else {
        return Ok(None);
    };
    if key.kind == KeyEventKind::Release {
        return Ok(None);
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Ok(Some(match key.code {
        KeyCode::Char('c' | 'd') if control => Key::Quit,
        KeyCode::Char('q') | KeyCode::Esc => Key::Quit,
        KeyCode::Char('h') => Key::Hint,
        KeyCode::Char('l') => Key::List,
        KeyCode::Char('n') => Key::Next,
        KeyCode::Char('x') => Key::Reset,
        KeyCode::Char('y') => Key::Yes,
        KeyCode::Char('r') | KeyCode::Enter => Key::Again,
        _ => Key::Other,
    }))
}

struct Screen<'a> {
    source: &'a Source,
    course: &'a Course,
    id: String,
    keys: bool,
    confirming_reset: bool,
    bar: report::Progress,
}

impl Screen<'_> {
    fn show(&mut self, event: &Watched) {
        match event {
            Watched::Watching(id) => self.id.clone_from(id),
            Watched::Event(event) => self.bar.show(event),
            Watched::Note(note) => self.print(&format!("{note}\n")),
            Watched::Verdict(found) => {
                self.bar.clear();
                if self.keys {
                    // A screen that cannot be cleared still shows the report below the old one.
                    let _ = execute!(
                        std::io::stdout(),
                        terminal::Clear(ClearType::All),
                        cursor::MoveTo(0, 0)
                    );
                }
                if let Some(exercise) = self.course.exercise(&found.exercise) {
                    self.print(&report::render(found, exercise));
                }
                let next = if found.outcome == Outcome::Solved {
                    "n next · "
                } else {
                    ""
                };
                self.help(next);
            }
            _ => {}
        }
    }

    fn help(&self, next: &str) {
        if self.keys {
            let line = format!(
                "\n{next}h hint · l list · {}r run again · x reset · q quit   (checks on every save)\n",
                if next.is_empty() { "n next · " } else { "" }
            );
            self.print(&style::dim(&line));
        }
    }

    fn act(&mut self, key: Key, watcher: &Watcher) -> anyhow::Result<Then> {
        let confirmed = std::mem::take(&mut self.confirming_reset);
        match key {
            Key::Quit => return Ok(Then::Quit),
            Key::Again => watcher.again(),
            Key::Hint => self.hint()?,
            Key::List => self.print(&super::list::render(self.course, self.source)),
            Key::Next => self.next(watcher)?,
            Key::Reset => {
                self.confirming_reset = true;
                self.print("Put the starter back? Your file is kept as a backup. y to confirm\n");
            }
            Key::Yes if confirmed => {
                let text = super::reset::reset(self.exercise()?, self.source)?;
                self.print(&text);
                watcher.again();
            }
            Key::Yes | Key::Other => {}
        }
        Ok(Then::Stay)
    }

    fn hint(&self) -> anyhow::Result<()> {
        let (text, _) = super::hint::show(self.exercise()?, None, self.source)?;
        self.print(&text);
        Ok(())
    }

    fn next(&self, watcher: &Watcher) -> anyhow::Result<()> {
        let workspace = self.source.workspace()?;
        let ids: Vec<&str> = self
            .course
            .exercises
            .iter()
            .map(|e| e.id.as_str())
            .collect();
        if !Progress::load(workspace).solved(&self.id) {
            let now = OffsetDateTime::now_utc();
            Progress::update(workspace, |p| p.skip(&self.id, now))?;
        }
        let here = ids.iter().position(|id| *id == self.id).unwrap_or_default();
        match ids.get(here + 1) {
            Some(id) => watcher.watch(id),
            None => self.print("That was the last exercise.\n"),
        }
        Ok(())
    }

    fn exercise(&self) -> anyhow::Result<&Exercise> {
        self.course
            .exercise(&self.id)
            .with_context(|| format!("exercise {} is gone from the course", self.id))
    }

    /// Prints text; in raw mode a line feed alone would not return to the first column.
    fn print(&self, text: &str) {
        let text = if self.keys {
            text.replace('\n', "\r\n")
        } else {
            text.to_owned()
        };
        let mut out = std::io::stdout().lock();
        // A terminal that went away ends us by its signal; nothing to do here.
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }
}

/// Raw mode, left again however this ends (also by a panic).
struct Raw;

impl Raw {
    fn enter() -> anyhow::Result<Self> {
        terminal::enable_raw_mode().context("the terminal does not allow single keys")?;
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let _ = terminal::disable_raw_mode();
            hook(info);
        }));
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}
