//! What a plugin can do in any of its functions.

use std::hint::black_box;

/// Does it, if it is one of these.
#[expect(clippy::disallowed_methods, reason = "the attack is to sleep")]
pub(crate) fn anywhere(attack: &str, shown: &str) {
    match attack {
        "trap" => assert_eq!(attack, shown, "the plugin was shown this"),
        "loop" => loop {
            std::hint::spin_loop();
        },
        "memory" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 1 << 20]);
                black_box(&hoard);
            }
        }
        "stack" => {
            black_box(deeper(1));
        }
        // The clock's waiting is the host's.
        "sleep" => std::thread::sleep(std::time::Duration::from_secs(3600)),
        "handles" => {
            // Each is an object of the host that is never let go.
            #[cfg(target_family = "wasm")]
            for _ in 0..10_000 {
                raw::subscribe();
            }
        }
        "print" => {
            for _ in 0..2000 {
                println_quietly(&"printed ".repeat(50));
            }
        }
        "exit" => std::process::exit(0),
        _ => {}
    }
}

fn println_quietly(text: &str) {
    use std::io::Write;
    // A host that takes no more must not stop the plugin.
    writeln!(std::io::stdout(), "{text}").unwrap_or_default();
}

fn deeper(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let room = black_box([depth; 64]);
    deeper(depth + 1) + room.iter().sum::<u64>()
}

/// An import of the host without the standard library between.
#[cfg(target_family = "wasm")]
mod raw {
    #![expect(unsafe_code, reason = "an attack asks the host directly")]

    #[link(wasm_import_module = "wasi:cli/stdout@0.2.6")]
    unsafe extern "C" {
        #[link_name = "get-stdout"]
        fn get_stdout() -> i32;
    }

    /// Takes one more handle of a stream.
    pub(super) fn subscribe() {
        // SAFETY: the function takes nothing and returns a handle, which is never used.
        unsafe {
            get_stdout();
        }
    }
}
