//! A sed script: does it only print?

use core::iter::Peekable;
use core::str::Chars;

use crate::verdict::{Doubt, Proof, excerpt};

/// Is the script free of commands that write a file or run a program? What is not understood is not proven.
pub(super) fn prove(script: &str) -> Proof {
    Scanner { rest: script.chars().peekable() }.scan()
}

struct Scanner<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Scanner<'_> {
    fn scan(mut self) -> Proof {
        loop {
            while self.rest.next_if(|c| c.is_ascii_whitespace() || matches!(c, ';' | '}')).is_some() {}
            self.address()?;
            if self.rest.next_if_eq(&',').is_some() {
                while self.rest.next_if(|c| matches!(c, ' ' | '+' | '~')).is_some() {}
                self.address()?;
            }
            while self.rest.next_if(|c| matches!(c, ' ' | '\t' | '!')).is_some() {}
            let Some(command) = self.rest.next() else { return Ok(()) };
            self.command(command)?;
        }
    }

    fn address(&mut self) -> Proof {
        match self.rest.peek() {
            Some('0'..='9') => {
                while self.rest.next_if(|c| c.is_ascii_digit() || *c == '~').is_some() {}
                return Ok(());
            }
            Some('$') => {
                self.rest.next();
                return Ok(());
            }
            Some('/') => {
                self.rest.next();
                self.part('/')?;
            }
            Some('\\') => {
                self.rest.next();
                let sign = self.delimiter()?;
                self.part(sign)?;
            }
            _ => return Ok(()),
        }
        while self.rest.next_if(|c| matches!(c, 'I' | 'M')).is_some() {}
        Ok(())
    }

    fn command(&mut self, command: char) -> Proof {
        match command {
            '{' => return Ok(()),
            '#' => return self.line(command),
            'a' | 'i' | 'c' | 'r' | 'R' => return self.line(command),
            '=' | 'd' | 'D' | 'F' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z' => {}
            'l' | 'L' | 'q' | 'Q' => while self.rest.next_if(|c| c.is_ascii_digit() || *c == ' ').is_some() {},
            ':' | 'b' | 't' | 'T' => {
                // Not every sed ends a label at a blank, and what stands behind it is a command then.
                while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
                while self.rest.next_if(|c| !matches!(c, ';' | '}') && !c.is_whitespace()).is_some() {}
            }
            's' => {
                let sign = self.delimiter()?;
                self.part(sign)?;
                self.part(sign)?;
                while self.rest.next_if(|c| matches!(c, 'g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9')).is_some() {}
            }
            'y' => {
                let sign = self.delimiter()?;
                self.part(sign)?;
                self.part(sign)?;
            }
            _ => return Err(doubt(&command.to_string())),
        }
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match self.rest.peek() {
            None | Some(';' | '}' | '\n' | '#') => Ok(()),
            Some(flag) => Err(doubt(&format!("{command} with {flag}"))),
        }
    }

    /// The rest of the line is text. One that goes on in the next line is not read here.
    fn line(&mut self, command: char) -> Proof {
        let mut last = ' ';
        while let Some(c) = self.rest.next_if(|c| *c != '\n') {
            last = c;
        }
        if last == '\\' { Err(doubt(&command.to_string())) } else { Ok(()) }
    }

    fn delimiter(&mut self) -> Result<char, Doubt> {
        self.rest.next().filter(|sign| !matches!(sign, '\n' | '\\')).ok_or_else(|| doubt("an open expression"))
    }

    /// Up to the sign. Seds disagree whether one between square brackets counts.
    fn part(&mut self, sign: char) -> Proof {
        let mut in_set = false;
        loop {
            match self.rest.next() {
                Some(c) if c == sign && in_set => return Err(doubt("the sign of an expression between brackets")),
                Some(c) if c == sign => return Ok(()),
                Some('\\') => drop(self.rest.next()),
                // The bracket of a class ends no set, and neither does one that stands first.
                Some('[') if in_set && matches!(self.rest.peek(), Some(':' | '.' | '=')) => {
                    while self.rest.next_if(|c| !matches!(c, ']' | '\n') && *c != sign).is_some() {}
                    self.rest.next_if_eq(&']');
                }
                Some('[') if !in_set => {
                    in_set = true;
                    self.rest.next_if_eq(&'^');
                    self.rest.next_if(|c| *c == ']' && *c != sign);
                }
                Some(']') => in_set = false,
                Some('\n') | None => return Err(doubt("an open expression")),
                Some(_) => {}
            }
        }
    }
}

fn doubt(word: &str) -> Doubt {
    Doubt::new("posix.sed", format!("{} in a sed script may write or run something", excerpt(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_print() {
        for script in [
            "5p",
            "1,10p;$p",
            "/error/I,/end/{=;p}",
            "s/a/b/g",
            "s|/usr|/opt|2p; s,x,\\,,",
            "\\#x#d",
            "0~3d",
            "/a/,+2!d",
            ":a;N;$!ba;s/\\n/ /g",
            "y/abc/xyz/",
            "$!{h;d}",
            "2q",
            "# w file\np",
            "/x/a text; w file",
            "s/[a-z]/x/",
            "s/[][]//g",
            "s/[^]]*$//",
            "s/[[:space:]]*//",
            ":a;s/x/y/;ta",
            "",
        ] {
            assert_eq!(prove(script), Ok(()), "{script}");
        }
    }

    #[test]
    fn scripts_that_may_write_or_run() {
        for script in [
            "w file",
            "1w file",
            "/x/W file",
            "s/a/b/w file",
            "s/a/b/ge",
            "e rm x",
            "1e",
            "s/a/b/;e",
            "p;w f",
            "{p;w f\n}",
            "s/[/]/b/;w f/",
            "a\\\ntext",
            "s/a/b",
            "/open",
            "s\\a\\b\\",
            "y/a/b/e",
            "p w f",
            "é",
            ":a\nw f",
            ":a w f",
            "ba w f\n:a",
            "$!ta w f",
            "s/[]/X]/g;#/g;w f",
            "s/[^]/X]/g;#/g;w f",
            "s/[[:alpha:]/X]/g;#/g;w f",
        ] {
            assert_eq!(prove(script).map_err(|doubt| doubt.rule), Err("posix.sed"), "{script}");
        }
    }
}
