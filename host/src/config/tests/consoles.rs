//! The keys `line`, `baud` and `login`.

use std::num::NonZeroU32;

use super::*;

const CONSOLES: &str = r#"
[device.console1]
line = "telnet"
user = "netops"
password = { env = "WORD" }
secrets.enable = { env = "ENABLE" }

[[device.console1.login]]
expect = '(?i)username: *$'
send = "{user}"
[[device.console1.login]]
expect = '(?i)password: *$'
secret = "password"
[[device.console1.login]]
expect = "Press RETURN"
send = ""
optional = true
[[device.console1.login]]
expect = '> $'
secret = "enable"

[device.serial1]
line = "/dev/ttyUSB0"
baud = 115200
user = "root"
password = { env = "WORD" }

[device.serial2]
line = "~/tty"

[device.bare]
line = "telnet"
port = 7001
via = "jump"

[device.jump]
line = "ssh"
"#;

#[test]
fn lines_and_their_login_steps_are_read() {
    let config = parse(CONSOLES).map_err(|diagnostics| lines(&diagnostics)).unwrap();
    let device = |name: &str| config.devices.get(name).unwrap();
    let told = |name: &str| {
        let steps = device(name).login_steps();
        let answer = |step: &LoginStep| match &step.answer {
            LoginAnswer::Send(text) => format!("`{text}`"),
            LoginAnswer::Secret(name) => name.clone(),
        };
        steps.iter().map(|step| format!("{} {} {}", step.expect, answer(step), step.optional)).collect::<Vec<_>>()
    };
    let console = device("console1");
    assert_eq!((&console.line, console.address("console1").as_str()), (&Wire::Telnet, "console1:23"));
    let steps = ["(?i)username: *$ `{user}` false", "(?i)password: *$ password false", "Press RETURN `` true", "> $ enable false"];
    assert_eq!(told("console1"), steps);
    let serial = device("serial1");
    assert_eq!((&serial.line, serial.baud), (&Wire::Serial(PathBuf::from("/dev/ttyUSB0")), NonZeroU32::new(115_200)));
    assert_eq!(serial.address("serial1"), "/dev/ttyUSB0");
    assert_eq!(device("serial2").line, Wire::Serial(PathBuf::from("/home/me/tty")));
    // What a console usually asks is known; nobody is asked to write it down.
    let usual = told("serial1");
    assert!(usual[0].ends_with("`{user}` true") && usual[1].ends_with("password true") && usual.len() == 2, "{usual:?}");
    assert_eq!((told("bare").len(), device("bare").address("bare").as_str()), (0, "bare:7001"));
    assert_eq!(["console1", "serial1", "bare", "jump"].map(|name| device(name).has_channels()), [false, false, false, true]);
}

#[test]
fn the_usual_questions_of_consoles_are_known() {
    let config = parse(CONSOLES).unwrap();
    let steps = config.devices.get("serial1").unwrap().login_steps();
    let fits = |step: usize, row: &str| steps[step].pattern().unwrap().is_match(row);
    for row in ["login: ", "web1 login: ", "Username:", "User Name: ", "cellar Login: ", "login as: "] {
        assert!(fits(0, row) && !fits(1, row), "{row}");
    }
    for row in ["Password: ", "Password:", "password for netops: ", "Passcode: ", "root@web1's password: "] {
        assert!(fits(1, row) && !fits(0, row), "{row}");
    }
    for row in ["login", "Login incorrect", "web1> ", "the password is: wrong", "Password: x"] {
        assert!(!fits(0, row) && !fits(1, row), "{row}");
    }
}

#[test]
fn keys_that_mean_nothing_on_a_line_are_refused() {
    check(
        "[device.a]\nline = \"telnet\"\nkey = \"k\"\nbaud = 9600\n[device.b]\nline = \"/dev/ttyS0\"\nhost = \"x\"\nport = 23\nagent = false\n\
         [device.c]\nlocal = true\nline = \"telnet\"\n[device.d]\nbaud = 9600\n[device.e]\nline = \"telent\"\n[device.f]\nline = 3\n\
         [device.g]\nline = \"/dev/ttyS0\"\nbaud = 0\n",
        "3:1: `key` in [device.a] is for SSH and has no meaning together with `line = \"telnet\"`\n\
         4:1: `baud` in [device.a] has no meaning without a serial line; name the serial device: `line = \"/dev/ttyUSB0\"`\n\
         7:1: `host` in [device.b] has no meaning on a serial line, which is in no network\n\
         8:1: `port` in [device.b] has no meaning on a serial line, which is in no network\n\
         9:1: `agent` in [device.b] is for SSH and has no meaning on a serial line\n\
         12:1: `line` in [device.c] has no meaning together with `local = true`\n\
         14:1: `baud` in [device.d] has no meaning without a serial line; name the serial device: `line = \"/dev/ttyUSB0\"`\n\
         16:1: `line` in [device.e] cannot be `telent`; did you mean `telnet`? write `ssh`, `telnet`, or the whole path of a serial device: \
         `line = \"/dev/ttyUSB0\"`\n\
         18:1: `line` in [device.f] must be `ssh`, `telnet` or the path of a serial device, got an integer; for example `line = \"telnet\"`\n\
         21:1: `baud` in [device.g] must be a speed in bits a second, got 0; for example `baud = 9600`\n",
    );
    check(
        "[device.a]\nvia = \"b\"\n[device.b]\nline = \"telnet\"\n[device.c]\nvia = \"d\"\n[[device.d.login]]\nexpect = \"x\"\nsend = \"y\"\n",
        "2:1: `via` in [device.a] names `b`, which is not reached by SSH; give the jump host a [device] of its own, without `line` and `login`\n\
         6:1: `via` in [device.c] names `d`, which has login steps, behind which no jump leads; give the jump host a [device] of its own, \
         without `line` and `login`\n",
    );
}

#[test]
fn steps_that_cannot_run_are_refused() {
    let step = |keys: &str| format!("[[device.a.login]]\n{keys}\n");
    for (keys, expected) in [
        (
            "expect = \"x\"",
            "1:1: `login` in [device.a] needs either `send` or `secret` in each step; write `send = \"TEXT\"` for what everybody may see, \
             or `secret = \"password\"`\n",
        ),
        (
            "send = \"x\"",
            "1:1: `login` in [device.a] has a step without `expect`; name the end of the row that it waits for: `expect = '(?i)username: *$'`\n",
        ),
        (
            "expect = \"x\"\nsecret = \"password\"",
            "3:1: `login.secret` in [device.a] names the secret `password`, which the device does not have; add `password = { env = \"VARIABLE\" }`\n",
        ),
        (
            "expect = \"x\"\nsecret = \"enable\"",
            "3:1: `login.secret` in [device.a] names the secret `enable`, which the device does not have; add `secrets.enable = { env = \"VARIABLE\" }`\n",
        ),
        (
            "expect = \"(\"\nsend = \"x\"",
            "2:1: `login.expect` in [device.a] is not a pattern: unclosed group; patterns are those of the Rust `regex` crate, without \
             look-around; write them in single quotes\n",
        ),
        (
            "expect = \"x\"\nsend = \"a\\u0003\"",
            "3:1: `login.send` in [device.a] holds a control character; for example `login.send = \"{user}\"`\n",
        ),
        (
            "expect = \"x\"\nsned = \"a\"\nsend = \"y\"",
            "3:1: unknown key `sned` in `login` in [device.a]; did you mean `send`? known keys: expect, send, secret, optional\n",
        ),
    ] {
        check(&step(keys), expected);
    }
    let many = step("expect = \"x\"\nsend = \"y\"").repeat(33);
    check(&many, "97:1: `login` in [device.a] has more than 32 steps\n");
}
