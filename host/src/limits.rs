//! Every bound of the program: its name with the unit, its value, and why it is that value.

use std::ops::RangeInclusive;
use std::time::Duration;

// The log.

/// Bytes of a session's log in memory. Most sessions never need a file.
pub const LOG_MEMORY_BYTES: usize = 1024 * 1024;
/// Bytes of one file of a session's log; the unit in which the oldest bytes go.
pub const LOG_SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Files of one session's log: one GiB in all.
pub const LOG_SEGMENTS_MAX: usize = 16;

// A terminal.

/// Columns and rows that a terminal may have. Its screen is kept cell by cell.
pub const TERMINAL_SIZES: RangeInclusive<u16> = 2..=1000;
/// Cells that one control sequence moves or wipes in a row: those of the widest terminal, so that a few bytes cost no more than that. A row
/// is longer where it goes on below.
pub const ROW_EDIT_MAX_CELLS: usize = 1000;
/// Rows above the last one that the cursor of a rendered output goes up to: more than windows have. What stands further up has scrolled away
/// and stays as it is.
pub const ROWS_REACHED_MAX: usize = 200;
/// Bytes of a control sequence that a terminal is given: the longest in use, of colours in all shades, have a third of it.
pub const SEQUENCE_MAX_BYTES: usize = 256;

// What a plugin is shown.

/// Bytes of the last row in a view. A prompt is shorter.
pub const VIEW_TAIL_MAX_BYTES: usize = 1024;
/// Bytes of the rows before it.
pub const VIEW_RECENT_MAX_BYTES: usize = 2048;
/// Bytes of the running command.
pub const VIEW_COMMAND_MAX_BYTES: usize = 1024;
/// Shell-integration marks in a view.
pub const VIEW_MARKS_MAX: usize = 16;
/// Bytes of one mark's body. The longest part is a working directory; it is left out where it does not fit.
pub const MARK_MAX_BYTES: usize = 1024;
/// Bytes of a plugin's memo.
pub const MEMO_MAX_BYTES: usize = 1024;
/// Bytes of a goal's name.
pub const GOAL_MAX_BYTES: usize = 64;
/// Bytes of a text that a plugin says beside the host's own words: a reason, a question, why a goal failed.
pub const PLUGIN_TEXT_MAX_BYTES: usize = 4096;
/// Bytes of a mode's name.
pub const MODE_MAX_BYTES: usize = 64;

// Plugins.

/// Bytes of a plugin file unless the operator allows more.
pub const PLUGIN_FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes of a manifest.
pub const MANIFEST_MAX_BYTES: usize = 24 * 1024;
/// Bytes of a signature file; one by a 16,384-bit RSA key has 6 KiB.
pub const SIGNATURE_MAX_BYTES: u64 = 16 * 1024;
/// Bytes of a file of allowed signers, or of a private key.
pub const SIGNERS_MAX_BYTES: u64 = 1024 * 1024;
/// Compiled plugins kept on disk: all bundled ones of two versions are some twenty, the rest is for vendors' and for builds of one's own.
pub const COMPILED_PLUGINS_MAX: usize = 256;
/// Bytes of them together. A bundled one has up to 4 MiB.
pub const COMPILED_PLUGINS_MAX_BYTES: u64 = 512 * 1024 * 1024;
/// How often the use of a compiled plugin is noted at its file: those go first that were not used for the longest time.
pub const COMPILED_USE_NOTED: Duration = Duration::from_secs(24 * 3600);
/// Bytes of a plugin's settings as JSON.
pub const PLUGIN_CONFIG_MAX_BYTES: usize = 16 * 1024;
/// Linear memory of an instance, all of its memories together.
pub const PLUGIN_MEMORY_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Table elements of an instance, all of its tables together.
pub const PLUGIN_TABLE_MAX_ELEMENTS: usize = 10_000;
/// Core instances in a component unless the operator allows more; a Rust plugin has three.
pub const PLUGIN_CORE_INSTANCES_MAX: usize = 8;
/// Tables in a component.
pub const PLUGIN_TABLES_MAX: usize = 8;
/// Linear memories in a component unless the operator allows more.
pub const PLUGIN_MEMORIES_MAX: usize = 1;
/// Wasm stack of a call.
pub const PLUGIN_STACK_BYTES: usize = 512 * 1024;
/// Stack of the fiber that a call runs on; must be larger than the wasm stack.
pub const PLUGIN_FIBER_STACK_BYTES: usize = 1024 * 1024;
/// Bytes that the host lifts from a plugin in one call.
pub const PLUGIN_LIFT_MAX_BYTES: usize = 64 * 1024;
/// One tick of the plugin clock, the unit of the deadlines.
pub const PLUGIN_TICK: Duration = Duration::from_millis(5);
/// Deadline of `inspect`, `next`, `claim`, `judge` and their like.
pub const PLUGIN_INSPECT_MAX: Duration = Duration::from_millis(20);
/// Deadline of `classify` and `decide`.
pub const PLUGIN_DECIDE_MAX: Duration = Duration::from_millis(50);
/// Deadline of instantiation and `configure`.
pub const PLUGIN_START_MAX: Duration = Duration::from_secs(1);
/// How long the plugin clock goes on ticking after the last call.
pub const PLUGIN_TICKER_LINGER: Duration = Duration::from_millis(50);
/// Afterwards it looks so often whether a call has begun: a call's deadline may be later by so much.
pub const PLUGIN_TICKER_NAP: Duration = Duration::from_millis(20);
/// Threads that work behind commands look for themselves so long after the last one whether there is more. To wake a thread that sleeps
/// for good costs the next command more than it costs the thread to look.
pub const WAKEFUL: Duration = Duration::from_secs(10);
/// Idle instances kept of one plugin. More sessions share them; each call takes microseconds.
pub const PLUGIN_INSTANCES_IDLE_MAX: usize = 8;
/// Faults within [`PLUGIN_FAULT_WINDOW`] that switch a plugin off.
pub const PLUGIN_FAULTS_MAX: usize = 3;
/// The time in which faults count together.
pub const PLUGIN_FAULT_WINDOW: Duration = Duration::from_secs(60);
/// How long a plugin is off at first; doubles each time.
pub const PLUGIN_OFF_MIN: Duration = Duration::from_secs(30);
/// How long a plugin is off at most.
pub const PLUGIN_OFF_MAX: Duration = Duration::from_secs(600);
/// How long the call that tries a switched-off plugin may take before another one does.
pub const PLUGIN_TRIAL_MAX: Duration = Duration::from_secs(2);
/// Complaints of a plugin about its settings that are told.
pub const DIAGNOSTICS_MAX: usize = 20;
/// Handles of host objects (streams, polls) that an instance may hold. The host keeps what is behind them.
pub const PLUGIN_HANDLES_MAX: usize = 256;
/// Random bytes that a plugin gets at once.
pub const PLUGIN_RANDOM_MAX_BYTES: u64 = 4096;
/// Lines that a plugin logs in [`PLUGIN_LOG_WINDOW`], all of its instances together.
pub const PLUGIN_LOG_MINUTE_MAX: usize = 200;
/// The time in which log lines count together.
pub const PLUGIN_LOG_WINDOW: Duration = Duration::from_secs(60);
/// Bytes of one line that a plugin logs.
pub const PLUGIN_LOG_LINE_MAX_BYTES: usize = 1024;
/// Lines that a plugin logs in one call.
pub const PLUGIN_LOG_LINES_MAX: usize = 20;
/// Bytes of a plugin's stdout and stderr kept for a fault's message.
pub const PLUGIN_STDERR_MAX_BYTES: usize = 4096;
/// Rows at each end of a longer output among which a failure's text counts; what lies between is content.
pub const FAILURE_EDGE_ROWS: usize = 3;
/// Size that a compiled trigger may take. Matching takes time that grows with it, in the session's own task.
pub const TRIGGER_COMPILED_MAX_BYTES: usize = 128 * 1024;
/// Size that all triggers of a plugin may take together.
pub const TRIGGERS_COMPILED_MAX_BYTES: usize = 1024 * 1024;
/// How often a developer's files are looked at.
pub const DEV_LOOK_EVERY: Duration = Duration::from_millis(300);

// Secrets by their look.

/// Bytes of a private key: the longest in use have a sixth of it. One that goes on is taken out as far as it looks like a key.
pub const SENSITIVE_KEY_MAX_BYTES: usize = 64 * 1024;
/// Bytes of rows that are looked at together.
pub const SENSITIVE_BLOCK_BYTES: usize = 32 * 1024;
/// Bytes of a row that is looked at as a whole. A longer one is looked at in parts that overlap.
pub const SENSITIVE_ROW_MAX_BYTES: usize = 64 * 1024;
/// Bytes by which they overlap: no token is longer.
pub const SENSITIVE_OVERLAP_BYTES: usize = 4 * 1024;
/// Bytes that show nothing, such as colours, marks and links, between two letters of a known secret: what is longer parts them. So what
/// is held back of a stream, because it may be the beginning of one, is at most so many times longer than it.
pub const SECRET_GAP_MAX_BYTES: usize = 512;
/// Values that one device's sessions mask together: more than its configuration has secrets. Of more the one that was used least recently
/// goes.
pub const DEVICE_MASKS_MAX: usize = 256;
/// Patterns of one plugin.
pub const SENSITIVE_MAX: usize = 64;

// What a device is.

/// Score from which the identification string alone decides the type of a device, before anybody logs in.
pub const IDENTIFY_EARLY_MIN: u32 = 95;
/// Score from which what a device shows decides its type. A prompt that several families have must stay below it.
pub const IDENTIFY_MIN: u32 = 80;
/// How far the best type must be ahead of the next one.
pub const IDENTIFY_MARGIN: u32 = 10;
/// Characters of a device's text in the reasons for a type.
pub const IDENTIFY_SHOWN_CHARS: usize = 80;
/// Silence after which the first screen is looked at.
pub const FIRST_SCREEN_PAUSE: Duration = Duration::from_millis(200);
/// Silence after which a first screen whose type nobody knows is complete.
pub const FIRST_SCREEN_QUIET: Duration = Duration::from_millis(1500);
/// How long the first screen may take: device banners are known to come 10 s after the login.
pub const FIRST_SCREEN_MAX: Duration = Duration::from_secs(15);
/// Bytes of the first screen that are looked at.
pub const FIRST_SCREEN_MAX_BYTES: usize = 64 * 1024;

// A session.

/// Requests waiting in a session's mailbox. More callers than this are told that it is busy; who asks for output waits for room.
pub const SESSION_MAILBOX: usize = 64;
/// Chunks between a line's reader and its session.
pub const LINE_CHUNKS: usize = 64;
/// Lines typed to come back from a mode: more levels than any known configuration is deep.
pub const LEVELS_MAX: usize = 12;
/// Commands that a session remembers with their output's place.
pub const COMMANDS_KEPT: usize = 256;
/// Bytes of what it remembers of them: one of many lines has a place for each of them, and perhaps an error. The places of the longest
/// command that may be given fit.
pub const COMMANDS_KEPT_BYTES: usize = 8 * 1024 * 1024;
/// How long a person's last key keeps agents from typing into the same session: a person thinks between two words.
pub const TYPING_LEASE: Duration = Duration::from_secs(15);
/// An agent's lock of a session unless it says otherwise.
pub const LOCK_DEFAULT: Duration = Duration::from_secs(120);
/// The longest lock of an agent. It is renewed by use.
pub const LOCK_MAX: Duration = Duration::from_secs(3600);
/// Things that somebody typed and that an agent has not been told yet, in one session.
pub const HANDOVER_LINES_MAX: usize = 100;
/// Characters of output that an agent is told of what others did meanwhile. The rest is in the log.
pub const HANDOVER_MAX_CHARS: usize = 4000;
/// Pieces of output between a session and those who watch it. A session never waits for them: they take up its log again.
pub const AUDIENCE_QUEUE: usize = 256;
/// How long keys of a person wait that come into the first moments of an agent's command: longer than most commands take.
pub const KEYS_KEPT: Duration = Duration::from_millis(400);
/// How long a prompt stands still before an agent's command where people have typed lines ahead: a shell takes each at once.
pub const TYPED_AHEAD_SETTLE: Duration = Duration::from_millis(300);
/// How long a device may take to empty a half-typed line and show it. Behind that the cancel key is pressed.
pub const ERASE_MAX: Duration = Duration::from_secs(1);
/// Pieces of typing that wait for that.
pub const KEYS_KEPT_MAX: usize = 256;
/// Times that a session was set up whose lines are kept from those who watch: once for each shell that is entered.
pub const SETUPS_KEPT: usize = 32;
/// Bytes of a session's past that somebody who comes to watch can scroll back to.
pub const AUDIENCE_PAST_BYTES: usize = 256 * 1024;
/// Bytes that are shown to those who watch at once; what comes faster is put together.
pub const FRAME_BYTES: usize = 32 * 1024;
/// Bytes of a control string that is shown to those who watch: a title, a picture, what goes to the clipboard. It is held until it is
/// whole.
pub const SHOWN_STRING_MAX_BYTES: usize = 256 * 1024;
/// How long one picture lasts where much comes: about as long as one of a screen.
pub const FRAME_EVERY: Duration = Duration::from_millis(16);
/// Pictures that somebody who watches may be behind before they get the newest one instead.
pub const FRAMES_BEHIND: usize = 64;
/// How often a guest is told what has changed beside the terminal.
pub const GUEST_STATE_EVERY: Duration = Duration::from_millis(250);
/// How often a guest is told for how long nobody has used the sessions, where nothing else of them has changed: with thousands of them the
/// list is a megabyte.
pub const GUEST_IDLE_EVERY: Duration = Duration::from_secs(5);
/// People who watch one session.
pub const GUESTS_MAX: usize = 500;
/// Bytes of one message of a guest: a large paste.
pub const GUEST_LINE_MAX_BYTES: usize = 1024 * 1024;
/// How long a person's command waits for its turn in a session.
pub const RUN_TURN_MAX: Duration = Duration::from_secs(60);
/// How long a person waits for a session to open.
pub const OPEN_MAX: Duration = Duration::from_secs(120);
/// Bytes of a note about a session.
pub const NOTE_MAX_BYTES: usize = 500;
/// Commands waiting for their turn in one session: what a client sends ahead, within half of its mailbox.
pub const COMMANDS_QUEUED_MAX: usize = 32;
/// Commands that run at once on channels of their own. OpenSSH allows ten sessions on a connection.
pub const PROGRAMS_MAX: usize = 8;
/// Commands with channels of their own whose output is kept, each in a log of its own.
pub const PROGRAMS_KEPT: usize = 64;
/// Bytes of a command line as a caller gives it: what policy plugins judge within their time, however it is nested.
pub const COMMAND_MAX_BYTES: usize = 32 * 1024;
/// Bytes of what a server is asked to start: Linux gives a program no longer argument, and the login shell gets it as one.
pub const PROGRAM_LINE_MAX_BYTES: usize = 128 * 1024 - 1;
/// Pages that a pager is turned for one command. A page is a screen: this is more text than a client reads.
pub const PAGES_MAX: u32 = 100_000;
/// Pages turned without a new row before the pager's plugin is no longer believed.
pub const PAGES_WITHOUT_ROW_MAX: u32 = 32;
/// Pager markers remembered for rendering. Older output then shows what the device sent.
pub const MARKERS_MAX: usize = 200_000;
/// Lines that set a session up and are left out of its log where that is shown. The oldest are shown again.
pub const SETUP_LINES_KEPT: usize = 1000;
/// Sends that `prepare` may ask for after login.
pub const SETUP_SENDS_MAX: usize = 16;
/// Lines that dialogs may have typed before the first prompt.
pub const LOGIN_SENDS_MAX: u32 = 64;
/// Steps of one goal.
pub const GOAL_STEPS_MAX: u32 = 64;
/// How long after the host's own line was typed a secret may be typed.
pub const SECRET_AFTER_LINE_MAX: Duration = Duration::from_secs(10);
/// How long a question must have stood before a secret is typed for it: what asks and does not read the terminal has gone on by then.
pub const SECRET_STANDS: Duration = Duration::from_millis(60);
/// Failed tries of one secret within [`SECRET_FAILURE_WINDOW`] that stop further ones: accounts get locked.
pub const SECRET_FAILURES_MAX: usize = 3;
/// The time in which failed tries count together.
pub const SECRET_FAILURE_WINDOW: Duration = Duration::from_secs(3600);
/// Reads of a new connection whose bytes are acknowledged at once: twice as many as a login takes.
pub const READS_ACKNOWLEDGED_MAX: u32 = 32;
/// How long a login may take from the open channel to the first prompt before somebody is told.
pub const LOGIN_MAX: Duration = Duration::from_secs(30);
/// Silence after a typed line, with text but without its echo, after which the echo is given up.
pub const ECHO_GRACE: Duration = Duration::from_millis(2000);
/// The silence proposed for a prompt before the line was measured.
pub const SETTLE_START_MS: u32 = 150;
/// The least silence proposed for a prompt without a mark.
pub const SETTLE_MIN_MS: u32 = 40;
/// The most silence proposed for one.
pub const SETTLE_MAX_MS: u32 = 1000;
/// The least time after which a plugin is asked again that wants silence.
pub const SETTLE_ASKED_MIN_MS: u32 = 10;
/// The longest silence that a prompt plugin may ask for at once. It is asked again then.
pub const SETTLE_ASKED_MAX_MS: u32 = 60_000;
/// Silence after which a row that may be a pager's marker or a question is no longer shown to the plugins again: it is output.
pub const LOOK_AGAIN_MAX: Duration = Duration::from_millis(1500);
/// Silence of a full-screen program after which it waits for somebody. Those that draw by the clock do it every second or later.
pub const SCREEN_STANDS: Duration = Duration::from_millis(900);
/// Silence after which a prompt that the device has printed something behind counts as the end, at least, and in settle times.
pub const PROMPT_PASSED: Duration = Duration::from_millis(800);
/// See [`PROMPT_PASSED`].
pub const PROMPT_PASSED_TIMES: u64 = 8;
/// The same where nothing but the end of its row stands behind the prompt: then it is rather a row of the output.
pub const PROMPT_ENDED: Duration = Duration::from_secs(10);
/// A first prompt that something was printed behind has stood so long before; a row of a banner that came in pieces has not.
pub const PROMPT_STOOD: Duration = Duration::from_millis(100);
/// A shorter prompt may be a row of any output.
pub const PROMPT_PASSED_MIN_CHARS: usize = 3;
/// Prompts of a session that are known by their look: one of each mode or so.
pub const PROMPTS_KNOWN_MAX: usize = 8;
/// Silence behind a row after which it counts as a question, where the plugin that should answer it has failed.
pub const GIVEN_UP_STANDS: Duration = Duration::from_secs(3);
/// How long a line editor has to wait in a command that nothing says to have one, before its caller is asked.
pub const EDITOR_STANDS: Duration = Duration::from_secs(3);
/// How long input for a command, and what stops it, is kept back until the shell has started it: before, the shell's line editor
/// would take it.
pub const INPUT_HELD_MAX: Duration = Duration::from_secs(1);
/// How long a command has to run before it is given its first input: a shell says that it starts one a little before it lets go of
/// the terminal.
pub const INPUT_AFTER_START: Duration = Duration::from_millis(50);
/// How long the program may take that sends a signal to what runs in a terminal.
pub const BESIDE_MAX: Duration = Duration::from_secs(5);
/// How long the prompt behind a line typed after login may take. Then the line is cancelled, and after as long again a person is asked.
pub const SETUP_LINE_MAX: Duration = Duration::from_secs(10);
/// How often a command that has run too long is told to stop.
pub const KILL_TRIES_MAX: usize = 4;
/// How long each line may take that clears away behind a command whose caller has limited its time: what throws a candidate
/// configuration away, and the way back. The caller's own time may be over by then.
pub const CLEAR_AWAY_MAX: Duration = Duration::from_secs(30);
/// How long `ssh_interrupt` waits for the prompt after each step.
pub const INTERRUPT_STEP_WAIT: Duration = Duration::from_millis(1500);
/// Interrupt keys typed before the caller is told to use something stronger.
pub const INTERRUPTS_MAX: usize = 3;
/// How long an unused session stays open unless the device says otherwise.
pub const IDLE_CLOSE: Duration = Duration::from_secs(4 * 3600);
/// Sessions in one process, where the operator says nothing.
pub const SESSIONS_DEFAULT: usize = 256;
/// The most sessions that the operator may allow in one process.
pub const SESSIONS_MAX: usize = 8192;

// Recordings that are played again.

/// Entries of a recording in memory: more than a session that somebody wants to read back.
pub const RECORDING_ENTRIES_MAX: usize = 65_536;
/// Silence of the device that a recording mentions. Less is the network's.
pub const RECORDING_SILENCE_MIN: Duration = Duration::from_millis(20);

// The conformance kit.

/// Problems of one check that are told; the rest is counted.
pub const KIT_PROBLEMS_MAX: usize = 5;
/// Recordings in one folder.
pub const KIT_RECORDINGS_MAX: usize = 500;
/// The longest pause that the kit puts between two pieces of what came without one. Shorter than any silence that means something.
pub const KIT_PAUSE_MAX: Duration = Duration::from_millis(15);
/// Random cuts of each recording.
pub const KIT_CUTS: u64 = 64;
/// Random views unless the caller says otherwise.
pub const KIT_VIEWS: u32 = 100_000;
/// What 99 of 100 calls may take: 100 sessions may ask at once.
pub const KIT_CALL_MAX: Duration = Duration::from_millis(1);
/// How often a call that took longer is tried again before it counts: the machine may have been busy.
pub const KIT_CALL_TRIES: u32 = 3;
/// Linear memory of an instance in the kit; what a plugin gets is more.
pub const KIT_MEMORY_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Silence after which everything that can count counts.
pub const KIT_LONG_SILENCE: Duration = Duration::from_secs(600);

// How much callers may do, unless `[limits]` of the configuration says otherwise.

/// Calls of one caller in a minute. A model makes a few; a program that runs away makes thousands in a second, and so does a benchmark.
pub const CALLS_PER_MINUTE: usize = 60_000;
/// Commands that run at once on one device: as many as OpenSSH has sessions on a connection.
pub const COMMANDS_PER_DEVICE: usize = 10;
/// Commands that run at once in all.
pub const COMMANDS_AT_ONCE: usize = 100;
/// The longest time after which a command is stopped, and the longest that a number of seconds may say: a month.
pub const KILL_AFTER_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
/// Commands that wait until so few run that they may: four full queries.
pub const COMMANDS_WAITING_MAX: usize = 256;
/// Devices that one caller runs something on within an hour: more than four full queries.
pub const DEVICES_PER_HOUR: usize = 250;
/// The time in which devices count together.
pub const DEVICES_WINDOW: Duration = Duration::from_secs(3600);
/// Refusals by policy that stop a caller: who is refused so often tries doors.
pub const DENIALS_MAX: usize = 100;
/// The time in which refusals count together, and for which the caller is stopped then.
pub const DENIALS_WINDOW: Duration = Duration::from_secs(600);
/// Callers that are remembered. The one that was silent the longest goes first.
pub const CALLERS_MAX: usize = 256;
/// How long the changes of a caller are asked about after it has read text of an untrusted device.
pub const TAINT_MAX: Duration = Duration::from_secs(3600);

// Approval.

/// Requests for a person's word that are kept. The oldest goes first.
pub const APPROVALS_MAX: usize = 64;
/// How long such a request stays open.
pub const APPROVAL_OPEN_MAX: Duration = Duration::from_secs(600);
/// How long an answer waits to be used.
pub const APPROVAL_USE_MAX: Duration = Duration::from_secs(120);
/// How long a call waits for its client to ask the user. Clients give up after 60 s.
pub const APPROVAL_WAIT_MAX: Duration = Duration::from_secs(40);
/// Characters of what a person is asked about. Nobody reads more than this before saying yes.
pub const APPROVAL_TEXT_MAX_CHARS: usize = 4000;
/// Characters of the reason that a caller gives, as it is shown and kept.
pub const CALLER_REASON_MAX_CHARS: usize = 500;

// The line.

/// How often a program is begun whose connection had ended before, or gave no further channel: servers with one session end theirs with
/// each program, and one that is full may say so while it still counts what had ended, once more when it does not, and for a place that it
/// is slow to have again.
pub const PROGRAM_TRIES: usize = 4;
/// From the first packet to an authenticated connection.
pub const CONNECT_MAX: Duration = Duration::from_secs(20);
/// How long a channel is waited for that its caller has given up after [`CONNECT_MAX`]: when it comes, it is closed.
pub const CHANNEL_LATE_MAX: Duration = Duration::from_secs(120);
/// How long a person may take to answer a server's question at login, here or where the server asks: as long as servers wait (sshd's
/// `LoginGraceTime`).
pub const LOGIN_ANSWER_MAX: Duration = Duration::from_secs(110);
/// Questions of servers that wait for a person in one process.
pub const QUESTIONS_MAX: usize = 32;
/// Rounds of questions at one login; a server may ask for ever.
pub const QUESTION_ROUNDS_MAX: usize = 8;
/// Questions in one round.
pub const QUESTIONS_OF_A_ROUND_MAX: usize = 16;
/// Keys of an agent that may be refused before the others are left: servers count each as a failure, six by default.
pub const AGENT_KEYS_MAX: usize = 5;
/// Conversations with an agent that is lent, at once on one connection: each is a file of this process, and the device opens them.
pub const LENT_AT_ONCE_MAX: usize = 16;
/// Bytes of a key file or a certificate.
pub const KEY_FILE_MAX_BYTES: u64 = 64 * 1024;
/// How long a server may take to announce its host keys after the login; those that do send it at once.
pub const ANNOUNCEMENT_WAIT: Duration = Duration::from_secs(2);
/// Host keys that a server may announce.
pub const HOST_KEYS_ANNOUNCED_MAX: usize = 16;
/// Bytes that a proxy may answer, and of what a program in its place says on standard error those that are told.
pub const PROXY_REPLY_MAX_BYTES: usize = 16 * 1024;
/// Addresses of a name that are tried.
pub const ADDRESSES_MAX: usize = 8;
/// After so long without an answer the next address is tried too (RFC 8305 section 5).
pub const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);
/// Devices on the way to another one.
pub const JUMPS_MAX: usize = 8;
/// Connections that are made to one host at once: servers refuse those who all come at once (`MaxStartups` 10 in OpenSSH).
pub const CONNECTS_TO_ONE_HOST: usize = 8;
/// Connections that are made at once in all: each takes a moment of the processor, and sessions that are open wait for that.
pub const CONNECTS_AT_ONCE: usize = 64;
/// Connections that may wait for their turn.
pub const CONNECTS_WAITING_MAX: usize = 1024;
/// A connection for files that nobody uses is closed after this time, or twice as long.
pub const BULK_IDLE: Duration = Duration::from_secs(60);
/// Channels on one connection: below the ten sessions that OpenSSH allows, so that a person's own still fit.
pub const CHANNELS_PER_CONNECTION_MAX: usize = 8;
/// How long a server that gave no further session on a connection is held to give no more there: longer than a call waits, so that a call
/// is refused less often than [`PROGRAM_TRIES`], and no longer, as it may not yet have counted the end of an earlier session then.
pub const SESSION_PLACES_KNOWN: Duration = Duration::from_secs(60);
/// The same of a bound that it has shown again and again.
pub const SESSION_PLACES_KNOWN_MAX: Duration = Duration::from_secs(60 * 60);
/// How long such a server takes until it has the place of a session again that has ended.
pub const SESSION_PLACE_REST: Duration = Duration::from_millis(100);
/// Bytes of a channel that are kept until the server has answered the request that started it. Some start a program before they say so.
pub const EARLY_MAX_BYTES: usize = 256 * 1024;
/// Messages of a channel that are kept so long.
pub const EARLY_MESSAGES_MAX: usize = 1024;
/// Bytes that a connection behind a jump host may leave lying there before the jump host's own connection waits for it: the windows (2 MiB)
/// of eight channels that nobody reads.
pub const WAY_AHEAD_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Messages of them. Those of a log that comes line by line are short.
pub const WAY_AHEAD_MESSAGES_MAX: usize = 32 * 1024;
/// Between keepalives of an idle connection.
pub const KEEPALIVE: Duration = Duration::from_secs(30);
/// Keepalives without an answer that end a connection.
pub const KEEPALIVES_MISSED_MAX: usize = 3;
/// A shared connection on which something came so lately is given to whoever wants one; any other is asked first whether it still lives.
pub const CONNECTION_HEARD_LATELY: Duration = Duration::from_secs(2);
/// How long its server may take to answer that. Then it is given to nobody any more, and another connection is made: a peer that vanished
/// without a word would keep each new session waiting for [`CONNECT_MAX`] until the keepalives end it.
pub const CONNECTION_ANSWER_MAX: Duration = Duration::from_secs(5);
/// How long a write to a line may take. A peer that stops reading ends the session.
pub const WRITE_MAX: Duration = Duration::from_secs(30);
/// Bytes typed in one piece. A terminal in canonical mode drops what exceeds its queue of 4,096.
pub const WRITE_CHUNK_BYTES: usize = 1024;
/// Bytes of what a telnet server says about an option. What is asked here has two.
pub const TELNET_ASIDE_MAX_BYTES: usize = 256;
/// Questions of a telnet server that are answered on one connection: there are a few options, and a server that loops must be left.
pub const TELNET_ANSWERS_MAX: usize = 256;
/// The speed of a serial line unless the device says otherwise: that of most consoles.
pub const SERIAL_BAUD: u32 = 9600;
/// Between two tries to get a serial device that somebody else has.
pub const SERIAL_LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Login steps of a device.
pub const LOGIN_STEPS_MAX: usize = 32;
/// How long the row may take that a login step waits for. A console needs seconds to wake, a login server a few for its lookups.
pub const LOGIN_STEP_MAX: Duration = Duration::from_secs(30);
/// Silence of a serial line at its beginning after which Enter is typed: a console that waits shows nothing by itself.
pub const LOGIN_WAKE_AFTER: Duration = Duration::from_millis(500);
/// Silence before a row is answered: its end may still be on the way.
pub const LOGIN_STEP_SETTLE: Duration = Duration::from_millis(150);
/// Silence after which a row that no step waits for counts as a prompt, so that what is optional is passed over.
pub const LOGIN_PROMPT_STANDS: Duration = Duration::from_millis(1500);
/// How long after the last step the line may take to show something: a wrong password is often told after some seconds.
pub const LOGIN_RESULT_MAX: Duration = Duration::from_secs(10);
/// Bytes that a line may show during its login steps. Menus and banners are shorter.
pub const LOGIN_STEPS_MAX_BYTES: usize = 256 * 1024;
/// How long a closing session waits for its line.
pub const CLOSE_MAX: Duration = Duration::from_secs(2);
/// How long the terminal of a program on this machine is read once that has ended: what it wrote is there by then, and what it has left
/// running may write on.
pub const LOCAL_REST_MAX: Duration = Duration::from_millis(100);
/// Bytes that are read of it then: more than a terminal holds, so what it wrote is among them.
pub const LOCAL_REST_MAX_BYTES: usize = 64 * 1024;

// Forwards.

/// Forwards in one process.
pub const FORWARDS_MAX: usize = 64;
/// Connections through one forward at once.
pub const FORWARD_CONNECTIONS_MAX: usize = 512;
/// Bytes on their way in one direction of a connection, beside the channel's own window.
pub const FORWARD_BUFFER_BYTES: usize = 64 * 1024;
/// How often a forward that is kept looks for the next session of its name.
pub const FORWARD_LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long what came over a connection that is lost, or from an end of a forward that takes nothing more, may still take to go out.
pub const FORWARD_REST_MAX: Duration = Duration::from_secs(1);
/// The first pause before the connection of a forward that is kept is tried again; each pause is twice as long as the one before.
pub const FORWARD_AGAIN_FIRST: Duration = Duration::from_secs(1);
/// The longest of these pauses.
pub const FORWARD_AGAIN_MAX: Duration = Duration::from_secs(60);
/// How long it is tried for: a device that is away for longer does not come back by itself.
pub const FORWARD_AGAIN_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Forwards that were lost and that nobody has been told of yet.
pub const FORWARDS_LOST_MAX: usize = 64;
/// How long a client of a SOCKS forward may take to say where to.
pub const SOCKS_ASK_MAX: Duration = Duration::from_secs(10);
/// The longest name in a question of SOCKS 4.
pub const SOCKS_NAME_MAX_BYTES: usize = 255;
/// Connections that a device's own listener has taken and nobody has served yet.
pub const FORWARDS_WAITING_MAX: usize = 64;

// Replies.

/// How long a call waits unless it says otherwise.
pub const WAIT_DEFAULT_S: f64 = 20.0;
/// How long a call may wait. Clients give up after 60 s.
pub const WAIT_MAX_S: f64 = 45.0;
/// Characters of output in a reply unless the caller says otherwise.
pub const OUTPUT_DEFAULT_CHARS: usize = 12_000;
/// Characters of output that a caller may ask for.
pub const OUTPUT_MAX_CHARS: usize = 1_000_000;
/// Raw bytes looked at for one page of output: control sequences can be many.
pub const RENDER_MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Characters that are laid out for the end of an output: a few bytes can move the cursor far.
pub const RENDER_MAX_CHARS: usize = 4 * 1024 * 1024;
/// Share of the budget for the beginning of an output that is cut; the rest is its end.
pub const OUTPUT_HEAD_PERCENT: usize = 40;
/// Targets of one `ssh_query`.
pub const QUERY_TARGETS_MAX: usize = 50;
/// Characters of a wrong argument that its caller is shown again: enough to know it by. A file's content may be one.
pub const WRONG_ARGUMENT_SHOWN_CHARS: usize = 100;
/// Characters of a session's name: it stands in many lines.
pub const SESSION_NAME_MAX_CHARS: usize = 64;
/// Names of what is open in a sentence on one that is not: there may be thousands.
pub const OPEN_NAMES_MAX: usize = 50;
/// Devices in a reply.
pub const HOSTS_LIMIT_MAX: usize = 500;
/// Sessions in a reply: some 350 characters each.
pub const SESSIONS_SHOWN_MAX: usize = 50;
/// Bytes of a line that may be a tool call and is looked at as such; a longer one goes the general way.
pub const CALL_LINE_MAX_BYTES: usize = 256 * 1024;
/// How often somebody who waits for something in a session looks at it, however much comes there. One that is silent is not looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(40);
/// Between two progress notifications of a call.
pub const PROGRESS_EVERY: Duration = Duration::from_secs(2);

// Searching a log.

/// Size that a compiled expression of a caller may take, by which a log is searched in the session's own task: each `\w` takes 45 KB.
pub const GREP_COMPILED_MAX_BYTES: usize = 512 * 1024;
/// Lines that are shown before and behind each one that a search finds.
pub const GREP_CONTEXT_MAX: usize = 50;
/// Characters that are rendered at a time while a log is searched, and how often for one call: some 16 MB.
pub const SEARCH_CHARS: usize = 1_000_000;
/// See [`SEARCH_CHARS`].
pub const SEARCHES_MAX: usize = 16;

// Rollouts.

/// Targets of one rollout: within the devices of an hour, [`DEVICES_PER_HOUR`].
pub const FLEET_TARGETS_MAX: usize = 200;
/// Targets of a rollout at once: each of them may have to be asked about, and no more than [`APPROVALS_MAX`] requests are kept.
pub const FLEET_PARALLEL_MAX: usize = 32;
/// Characters of output of all targets of a rollout, and of each at least.
pub const FLEET_CHARS: usize = 40_000;
/// See [`FLEET_CHARS`].
pub const FLEET_CHARS_MIN: usize = 500;
/// Bytes of one target's output that `jackfield fleet` keeps: those of all targets are in memory until the end.
pub const FLEET_OUTPUT_MAX_BYTES: usize = 256 * 1024;
/// Rollouts that go on, wait for a person, or can be read again.
pub const ROLLOUTS_MAX: usize = 16;
/// How long a rollout that does not go on is kept: longer than a request for a person's word, which may be followed by others.
pub const ROLLOUT_KEPT_MAX: Duration = Duration::from_secs(3600);

// The journal.

/// Notes that wait for the journal's thread. More come only from a disk that hangs, and are counted instead of kept.
pub const HISTORY_QUEUE: usize = 2048;
/// Notes written in one transaction.
pub const HISTORY_BATCH_MAX: usize = 512;
/// Before a batch, and between two looks for one, unless somebody waits: a wake-up for each note would cost a command more than the note
/// itself.
pub const HISTORY_PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a command that are kept. What is longer is a file's content.
pub const HISTORY_COMMAND_MAX_BYTES: usize = 4096;
/// Bytes of each other text of an entry: who, target, session, rule.
pub const HISTORY_NAME_MAX_BYTES: usize = 256;
/// Entries that are kept: years of an agent's work, some 30 MB.
pub const HISTORY_ROWS_MAX: u64 = 100_000;
/// How long they are kept.
pub const HISTORY_AGE_MAX: Duration = Duration::from_secs(90 * 24 * 3600);
/// Entries that a process writes before it looks for old ones again, as it does at its start.
pub const HISTORY_PRUNE_EVERY: u64 = 1000;
/// How long another process that writes is waited for.
pub const HISTORY_BUSY_MAX: Duration = Duration::from_secs(5);
/// How long readers are waited for where the journal's log of changes is to be emptied. Afterwards each batch tries it again, and no
/// entry comes much later for it.
pub const HISTORY_EMPTY_MAX: Duration = Duration::from_millis(200);
/// Tries to open the journal: the first ones of several processes meet while they make it.
pub const HISTORY_OPEN_TRIES: usize = 20;
/// Between two of them.
pub const HISTORY_OPEN_PAUSE: Duration = Duration::from_millis(50);
/// How long a journal that cannot be written is left alone.
pub const HISTORY_RETRY: Duration = Duration::from_secs(10);
/// How long a reader waits for what is on its way into the journal, and the process's end for the rest of it.
pub const HISTORY_FLUSH_MAX: Duration = Duration::from_secs(2);
/// Entries in a reply unless the caller says otherwise.
pub const HISTORY_DEFAULT: usize = 30;
/// Entries in a reply.
pub const HISTORY_LIMIT_MAX: usize = 200;
/// Characters of a command in a line of a table. The structure has it whole.
pub const HISTORY_LINE_CHARS: usize = 200;

// The audit record.

/// Bytes of one of its files. Then the next one begins.
pub const AUDIT_FILE_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of one record: a command with every byte escaped, and what else it tells.
pub const AUDIT_LINE_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes of a name that a client gives itself.
pub const AUDIT_NAME_MAX_BYTES: usize = 256;
/// Bytes of the file's end that are looked at first for its last record.
pub const AUDIT_WINDOW_BYTES: u64 = 64 * 1024;
/// Bytes of the file's end in which a record must be: the longest one fits.
pub const AUDIT_TAIL_MAX_BYTES: u64 = 2 * AUDIT_LINE_MAX_BYTES;
/// Records between two signed ones.
pub const AUDIT_HEAD_EVERY: u64 = 1000;
/// How long the signed head may be older than the newest record, so that records in a row are signed together.
pub const AUDIT_HEAD_PAUSE: Duration = Duration::from_secs(1);
/// How long another process that writes is waited for. It needs microseconds; the sessions stand still meanwhile.
pub const AUDIT_LOCK_MAX: Duration = Duration::from_secs(1);
/// Looks at the lock before the waiting process lets others run.
pub const AUDIT_LOCK_SPINS: u32 = 50;
/// Between two looks afterwards.
pub const AUDIT_LOCK_PAUSE: Duration = Duration::from_micros(200);
/// Records that are put off until the next one is written or nothing else is to do.
pub const AUDIT_PUT_OFF_MAX: usize = 64;
/// How long a lock that was not got is not waited for again.
pub const AUDIT_RETRY: Duration = Duration::from_secs(10);
/// Files that may be replaced while one record is written: two processes begin new ones at once.
pub const AUDIT_OPEN_TRIES: u32 = 5;
/// How long the disk may take to keep a record. Then what waits for it is refused.
pub const AUDIT_SYNC_MAX: Duration = Duration::from_secs(5);
/// Things that are wrong with a record which are told one by one; one is enough to distrust it.
pub const AUDIT_PROBLEMS_MAX: usize = 20;
/// Records shown unless somebody says otherwise.
pub const AUDIT_SHOWN: usize = 30;

// Recordings of what was shown.

/// Events of all sessions that wait for the thread that writes recordings.
pub const CAST_QUEUE: usize = 4096;
/// Bytes of them. More come only from a disk that is slower than the sessions, and are counted instead of kept.
pub const CAST_QUEUE_BYTES: u64 = 16 * 1024 * 1024;
/// How long events are collected before they are written together: a kill costs a recording so much.
pub const CAST_PAUSE: Duration = Duration::from_millis(200);
/// How long the process's end waits for the recordings.
pub const CAST_FLUSH_MAX: Duration = Duration::from_secs(2);
/// Between two looks for recordings that are too old or too many.
pub const CAST_SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// Bytes of a recording's longest line: a chunk of a line with every byte escaped.
pub const CAST_LINE_MAX_BYTES: u64 = 1024 * 1024;
/// After so long a recording that has no name yet was left behind.
pub const CAST_NAMELESS_MAX: Duration = Duration::from_secs(60);
/// Days that recordings are kept unless the operator says otherwise.
pub const RECORDINGS_KEEP_DAYS: u64 = 30;
/// Bytes of recordings that are kept unless the operator says otherwise.
pub const RECORDINGS_KEEP_BYTES: u64 = 1024 * 1024 * 1024;

// OpenSSH's configuration.

/// Bytes of one of its files; the longest that anybody writes by hand has a tenth of it.
pub const SSH_CONFIG_FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes of all of its files together.
pub const SSH_CONFIG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Files that are read, each as often as it is included.
pub const SSH_CONFIG_FILES_MAX: usize = 1024;
/// How deep files may include files: OpenSSH's own bound.
pub const SSH_CONFIG_DEPTH_MAX: usize = 16;
/// Bytes of a line.
pub const SSH_CONFIG_LINE_MAX_BYTES: usize = 64 * 1024;
/// Bytes of a host's or user's name that is looked up. The DNS has none longer than 253.
pub const SSH_CONFIG_NAME_MAX_BYTES: usize = 1024;
/// How long a command of `Match exec` may take. OpenSSH waits for ever.
pub const SSH_CONFIG_EXEC_MAX: Duration = Duration::from_secs(10);
/// Bytes of the machine's tables of users and services.
pub const SSH_CONFIG_TABLE_MAX_BYTES: u64 = 4 * 1024 * 1024;

// Files.

/// Bytes of one packet of a file service. The largest answer is a read of [`SFTP_CHUNK_MAX_BYTES`], or a part of a listing.
pub const SFTP_FRAME_MAX_BYTES: usize = 1024 * 1024;
/// Bytes that one read or write asks for where the server does not say what it takes: the least that the draft asks of it.
pub const SFTP_CHUNK_PLAIN_BYTES: u32 = 32 * 1024;
/// Bytes that one read or write asks for at most: what OpenSSH takes (256 KiB) without its head.
pub const SFTP_CHUNK_MAX_BYTES: u32 = 255 * 1024;
/// Bytes of one file on their way at once. More only fills queues: 80 ms at 100 MiB/s.
pub const SFTP_FLIGHT_BYTES: usize = 8 * 1024 * 1024;
/// Requests of one file on their way at once, however small.
pub const SFTP_PIECES_MAX: usize = 64;
/// Reads that a file begins with; it doubles with each full answer, so that a small file costs few.
pub const SFTP_PIECES_START: usize = 2;
/// Packets that wait to be written.
pub const SFTP_FRAMES_QUEUED: usize = 64;
/// Bytes that small packets are gathered to before they are written, and the least that is read at once.
pub const SFTP_GATHER_BYTES: usize = 64 * 1024;
/// A device that speaks the copy protocol and is silent for so long is gone: writing to a flash memory takes its time.
pub const SCP_QUIET_MAX: Duration = Duration::from_secs(60);
/// Bytes of a line of the copy protocol.
pub const SCP_LINE_MAX_BYTES: usize = 2 * 1024;
/// A file service that moves nothing for so long while something was asked is gone.
pub const SFTP_QUIET_MAX: Duration = Duration::from_secs(30);
/// One request, however slowly its bytes go: a server that dribbles is not waited for longer.
pub const SFTP_REQUEST_MAX: Duration = Duration::from_secs(300);
/// Entries of one folder.
pub const FOLDER_ENTRIES_MAX: usize = 200_000;
/// Files and folders of one tree. Each takes about 200 bytes.
pub const TREE_ENTRIES_MAX: usize = 500_000;
/// Folders that one lies in below the top.
pub const TREE_DEPTH_MAX: usize = 128;
/// Folders of a tree that are listed at once.
pub const FOLDERS_AT_ONCE: usize = 16;
/// Bytes that a program on the device prints for one question.
pub const PROGRAM_ANSWER_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a program's complaints; the last line is shown.
pub const PROGRAM_ERRORS_MAX_BYTES: u64 = 16 * 1024;
/// How long programs may take to give a file the attributes of another one.
pub const PROGRAM_LIKE_MAX: Duration = Duration::from_secs(20);
/// How long a program for files may run: a fingerprint of a large file takes its time.
pub const PROGRAM_FILES_MAX: Duration = Duration::from_secs(3600);
/// Small files that are copied at once: each waits for the other end most of its time.
pub const TRANSFER_SMALL_AT_ONCE: usize = 64;
/// Small files of this machine that are read before they are asked for. Each is shorter than [`SFTP_CHUNK_MAX_BYTES`].
pub const TRANSFER_SMALL_READ_AHEAD: usize = 64;
/// Big files that are copied at once. Each has [`SFTP_FLIGHT_BYTES`] on their way.
pub const TRANSFER_BIG_AT_ONCE: usize = 2;
/// Files whose fingerprints are asked for at once.
pub const TRANSFER_VERIFY_AT_ONCE: usize = 1000;
/// Pieces of a file between its reading and its writing.
pub const TRANSFER_PIECES_QUEUED: usize = 16;
/// Sentences on what was not copied.
pub const TRANSFER_PROBLEMS_MAX: usize = 50;
/// Bytes of one read from a file on this machine: those of one write to the device.
pub const LOCAL_READ_BYTES: usize = 255 * 1024;
/// Bytes of a file that is written or changed in place of another one: it is held whole, twice.
pub const FILE_WRITE_MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of a file that is read to its end although only some lines are shown: for its fingerprint and its number of lines.
pub const FILE_WHOLE_MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Characters of a line that is shown.
pub const FILE_LINE_MAX_CHARS: usize = 2000;
/// Bytes in a row of a file that is no text.
pub const HEX_ROW_BYTES: u64 = 16;
/// Links that lead to links.
pub const LINKS_FOLLOWED_MAX: usize = 16;
/// How long a difference is looked for; a coarser one is shown then.
pub const DIFF_MAX: Duration = Duration::from_millis(500);
/// Files that a pattern may fit.
pub const GLOB_FOUND_MAX: usize = 2000;
/// Folders that a pattern looks into.
pub const GLOB_FOLDERS_MAX: usize = 5000;
/// Lines that a search finds.
pub const SEARCH_FOUND_MAX: usize = 200;
/// Bytes that a search looks through.
pub const SEARCH_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Files that a search looks through at once; each may take [`FILE_WHOLE_MAX_BYTES`].
pub const SEARCH_FILES_AT_ONCE: usize = 8;
/// Transfers whose end nobody has asked for are remembered for so long.
pub const TRANSFER_KEPT_MAX: Duration = Duration::from_secs(600);
/// Transfers at once; with those that have ended and are remembered, too.
pub const TRANSFERS_MAX: usize = 64;
/// Bytes of one line that is judged for many files: plugins judge it well within their time.
pub const JUDGED_LINE_BYTES: usize = 8 * 1024;
/// Files that policy refuses one by one before a transfer is refused as a whole.
pub const JUDGED_APART_MAX: usize = 100;
/// How long sudo may take to ask or to begin.
pub const SUDO_MAX: Duration = Duration::from_secs(15);
/// Characters of a file's part in one reply.
pub const FILE_READ_CHARS: usize = 24_000;
/// Entries of a folder, or of what a pattern has found, in one reply.
pub const ENTRIES_SHOWN_MAX: u64 = 2000;
/// Characters of a difference in one reply.
pub const DIFF_MAX_CHARS: usize = 6000;
/// Steps of a plan, deleted files and the like in one reply.
pub const TRANSFER_LISTED_MAX: usize = 100;
/// Bytes of one transfer unless the operator says otherwise.
pub const TRANSFER_MAX_BYTES: u64 = 64 * 1024 * 1024 * 1024;

// The configuration.

/// Bytes of a configuration: 10,000 devices fit, each with two secrets and a way.
pub const CONFIG_FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Names that an error lists beside the one that was probably meant; it says how many more there are.
pub const NAMES_LISTED_MAX: usize = 64;

// Imports.

/// Bytes of one file that is imported; a host has about 200 in an inventory.
pub const IMPORT_FILE_MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Files of one import, with those that lie beside the named ones, such as one for each host.
pub const IMPORT_FILES_MAX: usize = 20_000;
/// Bytes of all files of one import.
pub const IMPORT_TOTAL_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Devices of one import. A range such as `web[1:100000]` is refused by it.
pub const IMPORT_DEVICES_MAX: usize = 10_000;
/// Bytes of the configuration that is made: as many as are read of one.
pub const IMPORT_TOML_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Values in one YAML file.
pub const IMPORT_NODES_MAX: usize = 1_000_000;
/// Values within values in one YAML file.
pub const IMPORT_DEPTH_MAX: usize = 64;
/// Variables within variables, groups within groups, and jumps behind jumps.
pub const IMPORT_NESTING_MAX: usize = 32;
/// Names that one line of the report shows; it says how many more there are.
pub const IMPORT_NAMES_SHOWN: usize = 5;

// Completion.

/// Names of devices and sessions that a shell is told at once. More are no help to anybody.
pub const COMPLETION_NAMES_MAX: usize = 2_000;
/// Words of a line that is being completed.
pub const COMPLETION_WORDS_MAX: usize = 1_000;

// The protocol's other doors.

/// Connections to the HTTP door. More wait in the system's queue.
pub const HTTP_CONNECTIONS_MAX: usize = 256;
/// Sessions of the older era at the HTTP door: each is a client with its own tasks.
pub const HTTP_SESSIONS_MAX: usize = 64;
/// How long such a session lives without a message. A client whose session is gone begins a new one by itself.
pub const HTTP_SESSION_IDLE: Duration = Duration::from_secs(3600);
/// How long the head of a request may take, and how long a connection is kept between two of them.
pub const HTTP_HEAD_MAX: Duration = Duration::from_secs(15);
/// Bytes of the head of a request.
pub const HTTP_HEAD_MAX_BYTES: usize = 64 * 1024;
/// Bytes of the body of a request: a file that is written whole fits.
pub const HTTP_BODY_MAX_BYTES: usize = 4 * 1024 * 1024;
/// How long the body of a request may take.
pub const HTTP_BODY_MAX: Duration = Duration::from_secs(20);
/// Bytes of a token: 16 that nobody can guess are enough.
pub const HTTP_TOKEN_MIN_BYTES: usize = 16;
/// How long nobody is let in after the system refused a connection: the process may be out of files.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Sessions in one page of the list of resources.
pub const RESOURCE_SESSIONS_PAGE: usize = 50;
/// Lines at the end of a session's log that its resource shows.
pub const RESOURCE_LOG_LINES: usize = 400;
/// Resources that one connection, or one stream of news, may watch.
pub const RESOURCES_WATCHED_MAX: usize = 16;
/// How often a client hears at most that a resource is another one now. A screen changes with every byte.
pub const RESOURCE_NEWS_EVERY: Duration = Duration::from_secs(1);
/// Bytes of a client's name.
pub const CLIENT_NAME_MAX_BYTES: usize = 128;
/// Characters of a client's title in what persons read.
pub const CLIENT_TITLE_MAX_CHARS: usize = 60;

// The browser viewer.

/// How long a link to the viewer can be used.
pub const VIEWER_LINK_MAX: Duration = Duration::from_secs(5 * 60);
/// Links that wait to be used. The oldest goes when there are more.
pub const VIEWER_LINKS_MAX: usize = 64;
/// How long a browser stays logged in after it was last seen.
pub const VIEWER_LOGIN_IDLE_MAX: Duration = Duration::from_secs(12 * 3600);
/// Browsers that are logged in. The one that was not seen for longest goes when there are more.
pub const VIEWER_LOGINS_MAX: usize = 256;
/// WebSockets at once: pages of all browsers together.
pub const VIEWER_SOCKETS_MAX: usize = 256;
/// TCP connections at once. A page has its WebSocket and a few for its files.
pub const VIEWER_CONNECTIONS_MAX: usize = 512;
/// How long a browser may take for the head of a request.
pub const VIEWER_HEAD_MAX: Duration = Duration::from_secs(10);
/// Bytes of the head of a request.
pub const VIEWER_HEAD_MAX_BYTES: usize = 16 * 1024;
/// Bytes of one message of a browser: a paste, in base64.
pub const VIEWER_MESSAGE_MAX_BYTES: usize = 256 * 1024;
/// Bytes of one message to a browser: a screen of the greatest size in colours, in base64.
pub const VIEWER_LINE_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes between the holder of the sessions and a browser. When they are full, the holder knows that the browser is slow.
pub const VIEWER_STREAM_BYTES: usize = 64 * 1024;
/// How often a silent browser is asked whether it is there.
pub const VIEWER_PING_EVERY: Duration = Duration::from_secs(20);
/// How long a browser may be silent, or take one message, before it counts as gone.
pub const VIEWER_SILENCE_MAX: Duration = Duration::from_secs(60);
/// Recordings that are listed: the newest.
pub const VIEWER_RECORDINGS_MAX: usize = 500;
/// Bytes of a recording that a browser is given. It keeps all of it in memory.
pub const VIEWER_RECORDING_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a recording's first line that are read for the list, and of its end.
pub const VIEWER_RECORDING_EDGE_BYTES: u64 = 64 * 1024;
/// Bytes of a recording's name.
pub const VIEWER_RECORDING_NAME_MAX_BYTES: usize = 200;

// The daemon, and what connects to it.

/// Bytes of the first line of a connection to a running server, and of its answer.
pub const HELLO_MAX_BYTES: usize = 64 * 1024;
/// How long whoever connects may take for it.
pub const HELLO_MAX: Duration = Duration::from_secs(10);
/// How long a daemon may take to start: plugins may have to be compiled.
pub const DAEMON_START_MAX: Duration = Duration::from_secs(60);
/// How long one that ends is waited for before another one starts: it closes its sessions.
pub const DAEMON_END_MAX: Duration = Duration::from_secs(30);
/// How long a daemon stays that holds nothing and that nobody uses.
pub const DAEMON_IDLE: Duration = Duration::from_secs(600);
/// Connections to a daemon at once.
pub const DAEMON_CLIENTS_MAX: usize = 1000;
/// Bytes of a daemon's log before it is moved away.
pub const DAEMON_LOG_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Logs that are kept beside the one that is written.
pub const DAEMON_LOGS: usize = 3;
/// How often a relay finds itself another daemon before it gives up, within a minute.
pub const RELAY_RESTARTS_MAX: usize = 5;
/// How long the last answers are waited for when a client has said all.
pub const RELAY_LINGER: Duration = Duration::from_secs(10);
/// Bytes of one message between a client and its server.
pub const RELAY_LINE_MAX_BYTES: usize = 32 * 1024 * 1024;
/// Bytes by which a running server is asked things on one connection: thousands of times.
pub const CONTROL_READ_MAX_BYTES: u64 = 64 * 1024;
/// How long a running server may take to answer: it loads plugins meanwhile.
pub const CONTROL_ANSWER_MAX: Duration = Duration::from_secs(60);

// Lines for the operator.

/// Lines for the operator that wait to be written. More are dropped: whoever does not read them must not hold up the sessions.
pub const DIAGNOSTICS_QUEUE: usize = 512;
/// How long the process's end waits for them.
pub const DIAGNOSTICS_FLUSH_MAX: Duration = Duration::from_millis(500);
