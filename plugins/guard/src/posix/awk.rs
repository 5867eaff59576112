//! An awk program: does it only read? Strings and regular expressions are told apart from code, so that a word
//! in one of them does not count.

use core::iter::Peekable;
use core::str::Chars;

use crate::verdict::{Doubt, Proof, excerpt};

/// Is the program free of pipes, redirections, files it reads by name and programs it starts?
pub(super) fn prove(program: &str) -> Proof {
    Scanner {
        rest: program.chars().peekable(),
        operand: false,
        prints: false,
        brackets: Vec::new(),
        condition: false,
        word: String::new(),
        open: false,
    }
    .scan()
}

struct Scanner<'a> {
    rest: Peekable<Chars<'a>>,
    /// The token before was an operand, so `/` divides.
    operand: bool,
    /// In a print statement `>` is a redirection.
    prints: bool,
    /// For each open bracket: does it hold a condition?
    brackets: Vec<bool>,
    /// The token before closed a condition: whether `/` divides then is not known.
    condition: bool,
    /// The word before, where nothing stands between.
    word: String,
    /// The last sign was one behind which a statement may go on in the next line.
    open: bool,
}

impl Scanner<'_> {
    fn scan(mut self) -> Proof {
        while let Some(c) = self.rest.next() {
            let after_condition = core::mem::take(&mut self.condition);
            match c {
                ' ' | '\t' => self.condition = after_condition,
                '\\' if self.rest.next_if_eq(&'\n').is_some() => {}
                '#' => while self.rest.next_if(|c| *c != '\n').is_some() {},
                '"' => self.string()?,
                '/' if after_condition => return Err(doubt("/")),
                '/' if self.operand => self.operand = false,
                '/' => self.expression()?,
                'a'..='z' | 'A'..='Z' | '_' => self.name(c)?,
                _ => self.sign(c)?,
            }
            if !matches!(c, ' ' | '\t' | '\n' | '\\' | '#') {
                self.open = matches!(c, ',' | '&' | '|' | '?' | ':' | '{');
            }
            if !c.is_ascii_alphabetic() && !matches!(c, '_' | ' ' | '\t' | '\n' | '\\' | '#') {
                self.word.clear();
            }
        }
        Ok(())
    }

    fn name(&mut self, first: char) -> Proof {
        self.word.clear();
        self.word.push(first);
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            self.word.push(c);
        }
        self.operand = false;
        match self.word.as_str() {
            // The files that `ARGV` names are read, and `SYMTAB` holds that too.
            "system" | "getline" | "ARGV" | "SYMTAB" => return Err(doubt(&self.word)),
            "print" | "printf" => self.prints = true,
            "if" | "while" | "for" | "else" | "do" | "in" | "return" | "exit" | "delete" | "case" | "switch" => {}
            _ => self.operand = true,
        }
        Ok(())
    }

    fn sign(&mut self, c: char) -> Proof {
        match c {
            '\n' if self.open => self.operand = false,
            '\n' | ';' | '{' | '}' => (self.prints, self.operand) = (false, false),
            '0'..='9' | '.' | ']' => self.operand = true,
            '(' => {
                self.brackets.push(matches!(self.word.as_str(), "if" | "while" | "for" | "switch"));
                self.operand = false;
            }
            ')' => {
                self.condition = self.brackets.pop().unwrap_or_default();
                self.operand = true;
            }
            '|' if self.rest.next_if_eq(&'|').is_some() => self.operand = false,
            '|' | '@' => return Err(doubt(&c.to_string())),
            '>' if self.prints => return Err(doubt("print >")),
            // Behind an operand it stays one.
            '+' | '-' if self.rest.next_if_eq(&c).is_some() => {}
            _ => self.operand = false,
        }
        Ok(())
    }

    fn string(&mut self) -> Proof {
        loop {
            match self.rest.next() {
                Some('"') => break,
                Some('\\') => drop(self.rest.next()),
                Some('\n') | None => return Err(doubt("\"")),
                Some(_) => {}
            }
        }
        self.operand = true;
        Ok(())
    }

    fn expression(&mut self) -> Proof {
        let mut in_set = false;
        loop {
            match self.rest.next() {
                // Awks disagree whether this ends it.
                Some('/') if in_set => return Err(doubt("[/")),
                Some('/') => break,
                Some('\\') => drop(self.rest.next()),
                // A class: its bracket ends no set.
                Some('[') if in_set && self.rest.next_if_eq(&':').is_some() => {
                    while self.rest.next_if(|c| c.is_ascii_alphabetic()).is_some() {}
                    if self.rest.next() != Some(':') || self.rest.next() != Some(']') {
                        return Err(doubt("[:"));
                    }
                }
                Some('[') if in_set => return Err(doubt("[[")),
                Some('[') => {
                    in_set = true;
                    self.rest.next_if_eq(&'^');
                    // Awks disagree whether this is the first of the set.
                    if self.rest.peek() == Some(&']') {
                        return Err(doubt("[]"));
                    }
                }
                Some(']') => in_set = false,
                Some('\n') | None => return Err(doubt("/")),
                Some(_) => {}
            }
        }
        self.operand = true;
        Ok(())
    }
}

fn doubt(word: &str) -> Doubt {
    Doubt::new("posix.awk", format!("{} in an awk program may write or run something", excerpt(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_read() {
        for program in [
            "{print $1}",
            "$3 > 80 {print $1, $3}",
            "/foo|bar/ && !/system/ {n++} END {print n}",
            "BEGIN{FS=\":\"} {print \"a|b > c\", $2/2}",
            "NR==FNR{a[$1]++;next} $1 in a",
            "{s+=$1} END {print s/NR}",
            "{print ($1+$2)/2} # system(x)",
            "{ if ($3 > 80) print $1 }",
            "{x = a[1] / 2; y = $1 / 3} /re|g/",
            "{printf \"%s\\n\", $1; if ($2>3) print}",
            "i++ / 2 { print }",
            "{print $1,\n$2}\n$3 > 80",
            "/[[:space:]]/ {print}",
        ] {
            assert_eq!(prove(program), Ok(()), "{program}");
        }
    }

    #[test]
    fn programs_that_may_write_or_run() {
        for program in [
            "BEGIN{system(\"rm x\")}",
            "{print > \"f\"}",
            "{print $1 >> \"f\"}",
            "{print | \"sh\"}",
            "{\"date\" | getline d}",
            "{getline line < \"f\"}",
            "@load \"x\"",
            "{f=\"system\"; @f(\"x\")}",
            "if ($1) /\"/; print \"a\" | \"sh\" /\"/",
            "{ if (x) /\"/; print \"a\" | \"sh\"; y = \"/\" }",
            "/[/]/ {print}",
            "{print $1,\n$2 > \"f\"}",
            "{print $1, # all\n\n$2 > \"f\"}",
            "{print x ?\n1 :\n2 > \"f\"}",
            "/[]/] \"/ {print \"x\" | \"sh\"} #\"/",
            "/[^]/] \"/ {print \"x\" | \"sh\"} #\"/",
            "/[[:alpha:]/] \"/ {print \"x\" | \"sh\"} #\"/",
            "{ a / 2; print | \"x/\" }",
            "\"open",
            "/open",
            "{ awk::system(\"x\") }",
            "BEGIN{ARGV[1]=\"/etc/sha\" \"dow\";ARGC=2} 1",
            "BEGIN{SYMTAB[\"ARG\" \"V\"][1]=\"x\"} 1",
            "{printf(\"x\") > $1}",
            "{ if\t(x) /\"/; print \"a\" | \"sh\"; y = \"/\" }",
            "{ if # c\n(x) /\"/; print \"a\" | \"sh\"; y = \"/\" }",
        ] {
            assert_eq!(prove(program).map_err(|doubt| doubt.rule), Err("posix.awk"), "{program}");
        }
    }
}
