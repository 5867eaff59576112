;; A plugin with the roles `setup` and `outcome` that does nothing, written by hand. `{...}` is where an attack begins.
(module
  {globals}
  {memory}
  {start}
  (global $free (mut i32) (i32.const 65536))

  ;; The host asks for room for what it passes. All of it is given back at the end of a call.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    {realloc}
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))

  ;; Every setting is right: the answer at 16 is all zeros.
  (func (export "jackfield:plugin/setup@0.1.0#configure") (param i32 i32) (result i32)
    {configure}
    (global.set $free (i32.const 65536))
    (i32.const 16))

  ;; No command has failed: the answer at 32 is `none`, unless an attack wrote there.
  (func (export "jackfield:plugin/outcome@0.1.0#judge") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    {judge}
    (global.set $free (i32.const 65536))
    (i32.const 32))

  ;; The host says that it has read the answer.
  (func (export "cabi_post_jackfield:plugin/outcome@0.1.0#judge") (param i32)
    {post}))
