//! The last assessment, kept until it is asked for again: the host asks twice of a line, what kind it is and whether it may be typed.

use std::cell::RefCell;
use std::rc::Rc;

use jackfield_plugin::Request;

use crate::declared::Table;
use crate::family::Grammar;
use crate::verdict::Assessment;

/// All that an assessment depends on.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) command: &'a str,
    pub(crate) grammar: Grammar,
    pub(crate) device_type: &'a str,
    pub(crate) mode: &'a str,
    pub(crate) cwd: Option<&'a str>,
    /// The words of a declared family.
    pub(crate) table: Option<Rc<Table>>,
}

/// A command that was judged.
struct Judged {
    command: String,
    grammar: Grammar,
    device_type: String,
    mode: String,
    cwd: Option<String>,
    table: Option<Rc<Table>>,
    assessment: Assessment,
}

thread_local! {
    /// An instance has one thread.
    static LAST: RefCell<Option<Judged>> = const { RefCell::new(None) };
}

/// The assessment that was kept for this case, or a new one.
pub(crate) fn recall(case: Case<'_>, request: &Request, assess: impl FnOnce(&Case<'_>) -> Assessment) -> Assessment {
    if let Some(judged) = LAST.take().filter(|judged| judged.is_of(&case)) {
        return judged.assessment;
    }
    let assessment = assess(&case);
    // An answer may be a secret: it is kept nowhere.
    if request.purpose != "send" {
        LAST.set(Some(Judged::new(case, assessment.clone())));
    }
    assessment
}

impl Judged {
    fn new(case: Case<'_>, assessment: Assessment) -> Self {
        Self {
            command: case.command.to_owned(),
            grammar: case.grammar,
            device_type: case.device_type.to_owned(),
            mode: case.mode.to_owned(),
            cwd: case.cwd.map(str::to_owned),
            table: case.table,
            assessment,
        }
    }

    fn is_of(&self, case: &Case<'_>) -> bool {
        let table = match (&self.table, &case.table) {
            (Some(one), Some(other)) => Rc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        table
            && self.command == case.command
            && self.grammar == case.grammar
            && self.device_type == case.device_type
            && self.mode == case.mode
            && self.cwd.as_deref() == case.cwd
    }
}
