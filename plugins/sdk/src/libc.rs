//! The few functions of the C library that Rust's standard one calls in a plugin.
//!
//! The library's own bring an allocator, an environment and open files along: a fifth of a plugin, and imports of WASI that it has no
//! other use for. What is defined here is not taken from there. A plugin needs them for nothing but to say why it panicked.

#![allow(unsafe_code, reason = "functions that C names")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::{copy_nonoverlapping, null_mut};
use core::slice::from_raw_parts;

use crate::heap::HEAP;
use crate::{Level, log};

/// Before each block stands how long it is, in as many bytes as the greatest alignment that C expects.
const HEAD_BYTES: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEAD_BYTES)?, HEAD_BYTES).ok()
}

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    let Some(layout) = layout(size) else { return null_mut() };
    unsafe {
        let head = HEAP.alloc(layout);
        if head.is_null() {
            return head;
        }
        head.cast::<usize>().write(size);
        head.add(HEAD_BYTES)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut u8) {
    if block.is_null() {
        return;
    }
    unsafe {
        let head = block.sub(HEAD_BYTES);
        if let Some(layout) = layout(head.cast::<usize>().read()) {
            HEAP.dealloc(head, layout);
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, each: usize) -> *mut u8 {
    let Some(size) = count.checked_mul(each) else { return null_mut() };
    let block = malloc(size);
    if !block.is_null() {
        unsafe { block.write_bytes(0, size) };
    }
    block
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut u8, size: usize) -> *mut u8 {
    let new = malloc(size);
    if !block.is_null() && !new.is_null() {
        unsafe {
            let before = block.sub(HEAD_BYTES).cast::<usize>().read();
            copy_nonoverlapping(block, new, before.min(size));
            free(block);
        }
    }
    new
}

/// A plugin has no environment.
#[unsafe(no_mangle)]
extern "C" fn getenv(_name: *const u8) -> *mut u8 {
    null_mut()
}

/// Nor has it a folder that it is in.
#[unsafe(no_mangle)]
extern "C" fn getcwd(_room: *mut u8, _size: usize) -> *mut u8 {
    null_mut()
}

/// How much of a row that has not ended is kept.
const ROW_MAX_BYTES: usize = 1024;

/// The row that is being printed. What is longer is told in several.
struct Row(UnsafeCell<([u8; ROW_MAX_BYTES], usize)>);

// A plugin has one thread.
unsafe impl Sync for Row {}

static ROW: Row = Row(UnsafeCell::new(([0; ROW_MAX_BYTES], 0)));

/// What is printed, to whichever file, becomes lines of the log.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(_file: i32, text: *const u8, size: usize) -> isize {
    let (row, used) = unsafe { &mut *ROW.0.get() };
    for &byte in unsafe { from_raw_parts(text, size) } {
        if let Some(room) = row.get_mut(*used) {
            *room = byte;
            *used += 1;
        }
        if byte == b'\n' || *used == ROW_MAX_BYTES {
            let told = row.get(..*used).unwrap_or_default().trim_ascii();
            // A row that was cut within a character says nothing that matters.
            if let Ok(told) = core::str::from_utf8(told)
                && !told.is_empty()
            {
                log(Level::Debug, told);
            }
            *used = 0;
        }
    }
    isize::try_from(size).unwrap_or(isize::MAX)
}
