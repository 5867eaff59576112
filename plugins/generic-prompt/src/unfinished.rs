//! Is a command line unfinished, so that a shell would ask for more? A rough reading: it only decides
//! what a `> ` behind it means.

/// Words that begin a block which ends on a later line.
const BLOCKS: [(&str, &str); 6] =
    [("for", "done"), ("while", "done"), ("until", "done"), ("if", "fi"), ("case", "esac"), ("function", "}")];

/// Does this line end inside a quote, a bracket, a block or a pipe?
pub(crate) fn is_unfinished(line: &str) -> bool {
    let line = line.trim_end();
    ends_open(line) || holds_open_block(line) || scan(line)
}

fn ends_open(line: &str) -> bool {
    let backslashes = line.chars().rev().take_while(|c| *c == '\\').count();
    backslashes % 2 == 1 || line.ends_with('|') || line.ends_with("&&") || here_document(line)
}

fn here_document(line: &str) -> bool {
    let mut parts = line.split('<').skip(1);
    // `a << b` splits into `a `, ``, ` b`, and `<<<` into one empty part more.
    parts.any(str::is_empty) && line.split('<').filter(|part| part.is_empty()).count() == 1
}

fn holds_open_block(line: &str) -> bool {
    let mut words = line.split(|c: char| c.is_whitespace() || c == ';');
    let Some(first) = words.next() else { return false };
    let end = BLOCKS.iter().find(|(begin, _)| *begin == first).map(|(_, end)| *end);
    end.is_some_and(|end| !words.any(|word| word == end))
}

/// Quotes and brackets, with what a backslash hides left out.
fn scan(line: &str) -> bool {
    let (mut quote, mut depth) = (None, 0_u32);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None | Some('"'), '\\') => {
                letters.next();
            }
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(letter),
            (None, '(' | '{' | '[') => depth += 1,
            (None, ')' | '}' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    quote.is_some() || depth > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_lines_are_unfinished() {
        for line in [
            "echo 'a",
            "echo \"a",
            "echo `a",
            "ls \\",
            "ls |",
            "ls &&  ",
            "cat <<EOF",
            "cat << 'EOF'",
            "f() {",
            "x=(1 2",
            "for i in 1 2; do echo $i",
            "if true; then",
            "while read x",
            "case $x in",
            "select * from (select 1",
            "echo \"it's",
        ] {
            assert!(is_unfinished(line), "{line}");
        }
    }

    #[test]
    fn closed_lines_are_not() {
        for line in [
            "",
            "node",
            "R",
            "ls -l",
            "echo 'a' \"b\" `c`",
            "echo \\'",
            "echo \"a\\\"b\"",
            "echo \\\\",
            "grep x <<< abc",
            "sort < file",
            "for i in 1 2; do echo $i; done",
            "if true; then ls; fi",
            "f() { ls; }",
            "echo 'a(b'",
            "forward x",
            "a) b",
        ] {
            assert!(!is_unfinished(line), "{line}");
        }
    }
}
