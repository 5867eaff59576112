//! A guest of the daemon on raw lines.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jackfield::daemon::hello::{Greeting, Hello, Want};
use jackfield::guest::wire::{Data, Say, Tell};

/// A guest, and what it was told so far.
pub struct Guest {
    to: UnixStream,
    told: Arc<Mutex<Vec<Tell>>>,
}

impl Guest {
    /// Comes to the daemon of a state folder.
    pub fn come(state: &Path, name: &str, may_type: bool) -> Self {
        let run = std::fs::read_dir(state.join("jackfield/run")).unwrap().flatten().map(|entry| entry.path());
        let socket = run.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "sock")).unwrap();
        let mut to = UnixStream::connect(socket).unwrap();
        let want = Want::Guest { name: name.to_owned(), by: "test".to_owned(), may_type };
        to.write_all(Hello::new(want).line().as_bytes()).unwrap();
        let mut lines = BufReader::new(to.try_clone().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        serde_json::from_str::<Greeting>(&line).unwrap().check().unwrap();
        let told = Arc::<Mutex<Vec<Tell>>>::default();
        let heard = Arc::clone(&told);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                heard.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { to, told }
    }

    pub fn say(&mut self, said: &Say) {
        writeln!(self.to, "{}", serde_json::to_string(said).unwrap()).unwrap();
    }

    pub fn enter(&mut self, session: &str) {
        self.say(&Say::Enter { session: session.to_owned(), columns: 0, rows: 0 });
    }

    pub fn types(&mut self, text: &str) {
        self.say(&Say::Type { data: Data(text.as_bytes().to_vec()) });
    }

    /// What it was told so far; it is forgotten.
    pub fn take(&self) -> Vec<Tell> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// The answers to what it said, of those that it was told so far.
    pub fn answers(&self) -> usize {
        self.told.lock().unwrap().iter().filter(|told| matches!(told, Tell::Done { .. } | Tell::Refused { .. })).count()
    }
}
