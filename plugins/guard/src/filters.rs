//! What stands behind `|`: where a bar belongs to what a filter looks for.

use crate::abbreviation::shortens;
use jackfield_plugin::text::Search;

/// Filters that look for an expression.
const EXPRESSIONS: &str = "include exclude begin section match no-match except find grep egrep utility";

/// What leads elsewhere behind `|` on some family: it is a filter wherever it stands, never text.
const ELSEWHERE: &str = "append awk bash csh cut email exec expect file ksh less more perl python redirect refresh request run save sed sh \
                         sort source sscp sudo tclsh tee tr uniq vsh xargs zsh";

/// The bars of what stands behind the first one, from left to right.
pub(crate) struct Bars {
    /// Double quotes can be told: no other sign hides one, and each is closed.
    counts: bool,
    is_quoted: bool,
    is_glued: bool,
    /// The last filter looks for an expression.
    is_expression: bool,
}

impl Bars {
    /// What stands in front of the first bar, and behind it.
    pub(crate) fn new(head: &str, tail: &str) -> Self {
        let counts = [head, tail].iter().all(|part| !part.has('\'') && !part.holds("\\\"") && part.matches('"').count() % 2 == 0);
        Self { counts, is_quoted: false, is_glued: false, is_expression: false }
    }

    /// May the next piece be text of the filter before it? Without quotes only where such a bar is no pipe, and stands between letters.
    pub(crate) fn may_be_text(&self, piece: &str, glues: bool) -> bool {
        let is_glued = glues && self.is_glued && !piece.starts_with(char::is_whitespace);
        self.is_expression && (self.is_quoted || is_glued) && !leads_elsewhere(piece, self.is_quoted)
    }

    /// The next one.
    pub(crate) fn pass(&mut self, piece: &str, is_text: bool) {
        if !is_text {
            let first = piece.split_whitespace().next().unwrap_or_default();
            self.is_expression = EXPRESSIONS.split(' ').any(|full| shortens(first, full, 1));
        }
        self.is_glued = !piece.ends_with(char::is_whitespace);
        self.is_quoted ^= self.counts && piece.matches('"').count() % 2 == 1;
    }
}

fn leads_elsewhere(piece: &str, is_quoted: bool) -> bool {
    let mut words = piece.split_whitespace().map(|word| word.trim_matches('"'));
    let first = words.next().unwrap_or_default();
    // A letter or two in quotes with nothing behind them are no short name of it.
    let least = if is_quoted && words.next().is_none() { 3 } else { 1 };
    ELSEWHERE.split(' ').any(|full| shortens(first, full, least.min(full.len())))
}
