//! The allocator of a plugin in Rust: free lists by size.
//!
//! A call brings dozens of small strings that all go when it ends, and an instance has one thread and a few MiB at most. So blocks
//! come in powers of two, each size has a list of those that are free, and none is ever split or joined: to take one or to give it
//! back is a handful of instructions, where a general allocator takes a quarter of a call's. At the worst half of a block is unused.

#![allow(unsafe_code, reason = "an allocator")]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::memory_grow;
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// The smallest block, and the alignment of all of them up to their size.
const LEAST_BYTES: usize = 16;
/// Sizes of blocks: from 16 bytes to 2 GiB.
const SIZES: usize = 28;
const PAGE_BYTES: usize = 65_536;

pub(crate) struct Heap(UnsafeCell<Lists>);

struct Lists {
    /// The first free block of each size; each holds the address of the next one.
    free: [*mut u8; SIZES],
    /// What no block was made of yet.
    fresh: usize,
    fresh_end: usize,
}

// A plugin has one thread.
unsafe impl Sync for Heap {}

#[global_allocator]
pub(crate) static HEAP: Heap = Heap(UnsafeCell::new(Lists { free: [null_mut(); SIZES], fresh: 0, fresh_end: 0 }));

/// Which list the blocks for this are in: those of `LEAST_BYTES` in the first, then twice as large each.
fn list_for(size: usize, align: usize) -> usize {
    let least = size.max(align).max(LEAST_BYTES);
    (usize::BITS - (least - 1).leading_zeros() - LEAST_BYTES.trailing_zeros()) as usize
}

impl Lists {
    #[cold]
    fn make(&mut self, size: usize) -> *mut u8 {
        // A block lies at a multiple of its size, which is a multiple of its alignment. What is skipped is lost, once.
        let start = self.fresh.next_multiple_of(size.min(PAGE_BYTES));
        if self.fresh == 0 || self.fresh_end - self.fresh.min(self.fresh_end) < start - self.fresh + size {
            let pages = size.div_ceil(PAGE_BYTES);
            let before = memory_grow(0, pages);
            if before == usize::MAX {
                return null_mut();
            }
            self.fresh = before * PAGE_BYTES;
            self.fresh_end = self.fresh + pages * PAGE_BYTES;
            return self.make(size);
        }
        self.fresh = start + size;
        start as *mut u8
    }
}

unsafe impl GlobalAlloc for Heap {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let index = list_for(layout.size(), layout.align());
        let lists = unsafe { &mut *self.0.get() };
        let Some(list) = lists.free.get_mut(index) else { return null_mut() };
        let block = *list;
        if block.is_null() {
            return lists.make(LEAST_BYTES << index);
        }
        *list = unsafe { block.cast::<*mut u8>().read() };
        block
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let lists = unsafe { &mut *self.0.get() };
        if let Some(list) = lists.free.get_mut(list_for(layout.size(), layout.align())) {
            unsafe { block.cast::<*mut u8>().write(*list) };
            *list = block;
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if list_for(size, layout.align()) == list_for(layout.size(), layout.align()) {
            return block;
        }
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            unsafe {
                new.copy_from_nonoverlapping(block, size.min(layout.size()));
                self.dealloc(block, layout);
            }
        }
        new
    }
}
