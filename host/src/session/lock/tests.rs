//! Who may type: the rules one by one, then any sequence of them.

use proptest::prelude::*;

use super::*;

fn anna() -> Author {
    Author::person("anna")
}

fn agent(name: &str) -> Author {
    Author::agent(name)
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_persons_lock_is_a_persons_to_give() {
    let (lock, now) = (InputLock::default(), Instant::now());
    lock.take(&anna(), None, None, now).unwrap();
    let held = lock.check(&agent("a"), now + HOUR).unwrap_err();
    assert_eq!(held.until, None);
    let why = "person anna has this session's input for people alone; nothing was typed. Ask them; only a person can give it back";
    assert_eq!(held.why, why);
    assert!(lock.take(&agent("a"), None, None, now).unwrap_err().contains("person anna has it already"));
    for force in [false, true] {
        assert!(lock.release(&agent("a"), force, now).unwrap_err().contains("an agent cannot take it away"));
    }
    lock.check(&Author::person("ben"), now).unwrap();
    lock.release(&Author::person("ben"), false, now).unwrap();
    lock.check(&agent("a"), now).unwrap();
}

#[test]
fn an_agents_lock_ends_by_itself_unless_it_is_used_or_a_command_runs() {
    let (lock, start) = (InputLock::default(), Instant::now());
    let ten = Duration::from_secs(10);
    lock.take(&agent("a"), None, Some(ten), start).unwrap();
    assert!(lock.check(&agent("b"), start).unwrap_err().why.contains("agent a has this session's input for itself for 10 s more"));
    lock.on_typed(&agent("a"), start + ten / 2);
    assert!(lock.check(&agent("b"), start + ten).is_err(), "it was renewed");
    lock.set_busy(true, start + ten);
    assert!(lock.check(&agent("b"), start + HOUR).is_err(), "a command runs");
    lock.set_busy(false, start + HOUR);
    assert!(lock.check(&agent("b"), start + HOUR + ten / 2).is_err());
    lock.check(&agent("b"), start + HOUR + ten).unwrap();
}

#[test]
fn agents_wait_while_a_person_types() {
    let (lock, now) = (InputLock::default(), Instant::now());
    lock.on_typed(&anna(), now);
    let held = lock.check(&agent("a"), now).unwrap_err();
    assert_eq!(held.until, Some(now + TYPING_LEASE));
    assert!(lock.take(&agent("a"), None, None, now).is_err());
    assert!(lock.state(now).typing);
    lock.check(&agent("a"), now + TYPING_LEASE).unwrap();
    lock.on_typed(&anna(), now);
    lock.on_left(&anna());
    lock.check(&agent("a"), now).unwrap();
}

#[test]
fn what_is_stopped_everywhere_beats_an_agents_own_lock() {
    let halt = Halt::default();
    let (lock, now) = (InputLock::under(halt.clone()), Instant::now());
    lock.take(&agent("a"), None, None, now).unwrap();
    halt.set(Some("person anna".to_owned()));
    assert!(lock.check(&agent("a"), now).unwrap_err().why.starts_with("person anna has stopped all input of agents"));
    lock.check(&anna(), now).unwrap();
    halt.set(None);
    lock.check(&agent("a"), now).unwrap();
}

#[test]
fn what_is_stopped_in_one_process_is_stopped_in_all_of_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("halted");
    let process = || {
        let halt = Halt::default();
        halt.keep_in(file.clone());
        halt
    };
    let (one, other) = (process(), process());
    let (lock, now) = (InputLock::under(other.clone()), Instant::now());
    lock.check(&agent("a"), now).unwrap();
    one.set(Some("person anna".to_owned()));
    assert!(lock.check(&agent("a"), now).unwrap_err().why.starts_with("person anna has stopped all input of agents"));
    assert_eq!(process().by().as_deref(), Some("person anna"));
    // Any of them lets it go on in all.
    other.set(None);
    assert_eq!((one.by(), other.by(), process().by()), (None, None, None));
    // Where it cannot be kept, it holds in the process in which it was said.
    let alone = Halt::default();
    alone.keep_in(folder.path().join("nowhere/halted"));
    alone.set(Some("person ben".to_owned()));
    assert_eq!(alone.by().as_deref(), Some("person ben"));
    alone.set(None);
    assert_eq!(alone.by(), None);
}

proptest! {
    /// Whatever was done: people may type, and an agent may not while a person has it or is typing.
    #[test]
    fn people_are_never_kept_out_and_agents_never_get_in(steps in proptest::collection::vec((0_u8..7, 0_u8..4, 0_u64..30), 1..60)) {
        let lock = InputLock::default();
        let mut now = Instant::now();
        let who = |index: u8| if index < 2 { Author::person(&index.to_string()) } else { agent(&index.to_string()) };
        let mut people_only = false;
        let mut typed_at: Option<Instant> = None;
        for (step, index, later) in steps {
            now += Duration::from_secs(later);
            let by = who(index);
            let may = by.is_person() || !people_only;
            match step {
                0 | 1 => {
                    let agent = (step == 1).then(|| agent("9"));
                    let taken = lock.take(&by, agent.clone(), None, now).is_ok();
                    prop_assert!(!taken || may);
                    prop_assert!(taken || !by.is_person());
                    people_only = if taken { by.is_person() && agent.is_none() } else { people_only };
                }
                2 | 3 => {
                    let released = lock.release(&by, step == 3, now).is_ok();
                    prop_assert!(!released || may);
                    people_only &= !released;
                    typed_at = typed_at.filter(|_| !(released && by.is_person()));
                }
                4 => {
                    lock.on_typed(&by, now);
                    typed_at = if by.is_person() { Some(now) } else { typed_at };
                }
                5 => lock.set_busy(later % 2 == 0, now),
                _ => {}
            }
            for index in 0..2 {
                prop_assert!(lock.check(&who(index), now).is_ok());
            }
            let is_typing = typed_at.is_some_and(|at| now < at + TYPING_LEASE);
            if people_only || is_typing {
                for index in 2..4 {
                    prop_assert!(lock.check(&who(index), now).is_err());
                }
            }
        }
    }
}

#[test]
fn a_lock_for_longer_than_time_can_be_told_has_no_end() {
    let (lock, now) = (InputLock::default(), Instant::now());
    lock.take(&anna(), None, Some(Duration::MAX), now).unwrap();
    lock.on_typed(&anna(), now);
    assert_eq!(lock.check(&agent("a"), now + HOUR).unwrap_err().until, None);
    lock.take(&anna(), Some(agent("a")), Some(Duration::from_secs(u64::MAX / 4)), now).unwrap();
    lock.on_typed(&agent("a"), now + HOUR);
    lock.check(&agent("a"), now + HOUR).unwrap();
}

#[test]
fn only_a_person_stops_what_runs() {
    let (halt, now) = (Halt::default(), Instant::now());
    let lock = InputLock::under(halt.clone());
    assert_eq!(lock.stops(&agent("a"), now), None);
    // Another agent's lock, and a person who types, keep new commands out alone.
    lock.take(&agent("b"), None, None, now).unwrap();
    assert!(lock.check(&agent("a"), now).is_err());
    assert_eq!(lock.stops(&agent("a"), now), None);
    lock.release(&agent("b"), false, now).unwrap();
    lock.on_typed(&anna(), now);
    assert_eq!(lock.stops(&agent("a"), now), None);
    lock.take(&anna(), None, None, now).unwrap();
    assert!(lock.stops(&agent("a"), now).unwrap().contains("nothing more was typed"));
    lock.take(&anna(), Some(agent("a")), None, now + HOUR).unwrap();
    assert_eq!(lock.stops(&agent("a"), now + HOUR), None);
    // Who answers a question of the device has not taken it back.
    lock.on_typed(&anna(), now + HOUR);
    assert!(lock.check(&agent("a"), now + HOUR).is_err());
    assert_eq!(lock.stops(&agent("a"), now + HOUR), None);
    assert!(lock.stops(&agent("b"), now + HOUR).is_some());
    lock.release(&anna(), false, now + HOUR).unwrap();
    halt.set(Some("person anna".to_owned()));
    assert!(lock.stops(&agent("a"), now + HOUR).is_some());
    assert_eq!(lock.stops(&anna(), now + HOUR), None);
}
