/* A plugin for jackfield in C: when is the router ready, which key turns a page, which answer is a refusal.
 *
 * The functions are those of `wit/`, as `wit-bindgen c` names them. What they are given is theirs and is freed before they
 * return; what they give back was made with `malloc` or the `device_string_dup` functions and is freed once the host has read
 * it. Nothing is kept between calls: what must be remembered of a session is the memo, which comes back with the next view. */

#include <stdlib.h>
#include <string.h>

#include "device.h"

typedef jackfield_plugin_types_hit_t hit_t;
typedef jackfield_plugin_types_list_hit_t hits_t;
typedef exports_jackfield_plugin_prompt_view_t view_t;

/* Silence before a prompt of a name that is not the learned one is believed, in milliseconds. */
enum { FIRST_MS = 300, OTHER_NAME_MS = 1000 };

static bool is(const device_string_t *text, const char *word) {
    return text->len == strlen(word) && memcmp(text->ptr, word, text->len) == 0;
}

static bool begins(const uint8_t *text, size_t len, const char *word) {
    return len >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

static void copy(device_string_t *to, const device_string_t *from) {
    device_string_dup_n(to, (const char *)from->ptr, from->len);
}

/* The hit of a trigger of plugin.toml, if the last row matches it. */
static const hit_t *hit_of(const hits_t *hits, const char *trigger) {
    for (size_t at = 0; at < hits->len; at++) {
        if (is(&hits->ptr[at].trigger, trigger)) {
            return &hits->ptr[at];
        }
    }
    return NULL;
}

/* What a named group of the trigger captured. */
static const device_string_t *group_of(const hit_t *hit, const char *name) {
    for (size_t at = 0; at < hit->captures.len; at++) {
        if (is(&hit->captures.ptr[at].name, name)) {
            return &hit->captures.ptr[at].value;
        }
    }
    return NULL;
}

/* --- setup --- */

bool exports_jackfield_plugin_setup_configure(device_string_t *json, exports_jackfield_plugin_setup_list_diagnostic_t *err) {
    /* Every key of an object stands in quotes, so without one there is none. */
    bool right = memchr(json->ptr, '"', json->len) == NULL;
    device_string_free(json);
    if (!right) {
        err->ptr = malloc(sizeof *err->ptr);
        err->len = 1;
        device_string_dup(&err->ptr->path, "");
        device_string_dup(&err->ptr->message, "this plugin has no settings");
    }
    return right;
}

/* --- prompt: the memo is the router's name as it was learned --- */

static bool is_learned(const view_t *view, const device_string_t *host) {
    return view->memo.len > 0 && view->memo.len == host->len && memcmp(view->memo.ptr, host->ptr, host->len) == 0;
}

static uint32_t silence_wanted(const view_t *view, const device_string_t *host) {
    if (view->memo.len == 0) {
        return view->settle_ms > FIRST_MS ? view->settle_ms : FIRST_MS;
    }
    return is_learned(view, host) ? view->settle_ms : OTHER_NAME_MS;
}

static void become_ready(const view_t *view, const hit_t *hit, exports_jackfield_plugin_prompt_ready_t *ready) {
    bool privileged = is(group_of(hit, "end"), "#");
    const char *mode = privileged ? "privileged" : "user_exec";
    memset(ready, 0, sizeof *ready);
    copy(&ready->prompt, &view->tail);
    device_string_dup(&ready->mode, group_of(hit, "context") != NULL ? "config" : mode);
    ready->privileged = privileged;
    device_string_dup(&ready->proof, is_learned(view, group_of(hit, "host")) ? "learned" : "pattern");
}

static void remember(const uint8_t *bytes, size_t len, device_list_u8_t *memo) {
    device_string_t copied;
    device_string_dup_n(&copied, (const char *)bytes, len);
    memo->ptr = copied.ptr;
    memo->len = copied.len;
}

void exports_jackfield_plugin_prompt_inspect(view_t *view, exports_jackfield_plugin_prompt_prompt_report_t *report) {
    const hit_t *hit = hit_of(&view->hits, "prompt");
    const device_string_t *host = hit == NULL ? NULL : group_of(hit, "host");
    report->reading.tag = JACKFIELD_PLUGIN_TYPES_READING_NOT_YET;
    if (host == NULL || !view->echoed) {
        remember(view->memo.ptr, view->memo.len, &report->memo);
    } else if (view->quiet_ms < silence_wanted(view, host)) {
        report->reading.tag = JACKFIELD_PLUGIN_TYPES_READING_SETTLE;
        report->reading.val.settle = silence_wanted(view, host);
        remember(view->memo.ptr, view->memo.len, &report->memo);
    } else {
        report->reading.tag = JACKFIELD_PLUGIN_TYPES_READING_READY;
        become_ready(view, hit, &report->reading.val.ready);
        remember(host->ptr, host->len, &report->memo);
    }
    exports_jackfield_plugin_prompt_view_free(view);
}

/* Pages stay on: turning each one is what this example shows. */
void exports_jackfield_plugin_prompt_prepare(exports_jackfield_plugin_prompt_ready_t *at, view_t *view, device_list_string_t *sends) {
    sends->ptr = NULL;
    sends->len = 0;
    exports_jackfield_plugin_prompt_ready_free(at);
    exports_jackfield_plugin_prompt_view_free(view);
}

/* --- pager --- */

bool exports_jackfield_plugin_pager_inspect(exports_jackfield_plugin_pager_view_t *view, exports_jackfield_plugin_pager_page_t *page) {
    bool more = hit_of(&view->hits, "more") != NULL;
    if (more) {
        device_string_dup(&page->send, "next-page");
        copy(&page->strip, &view->tail);
    }
    exports_jackfield_plugin_pager_view_free(view);
    return more;
}

/* --- outcome: a row that begins with a percent sign says what went wrong --- */

static const char *kind_of(const uint8_t *row, size_t len) {
    const uint8_t *text = row + strlen("% "), *end = row + len;
    /* The daemon may give its name first: `% [ZEBRA] Unknown command`. */
    const uint8_t *name_end = text < end && *text == '[' ? memchr(text, ' ', (size_t)(end - text)) : NULL;
    text = name_end == NULL ? text : name_end + 1;
    size_t left = (size_t)(end - text);
    if (begins(text, left, "Command incomplete")) {
        return "incomplete";
    }
    return begins(text, left, "Unknown command") || begins(text, left, "Ambiguous command") ? "refused" : "error";
}

bool exports_jackfield_plugin_outcome_judge(exports_jackfield_plugin_outcome_exchange_t *exchange,
                                            exports_jackfield_plugin_outcome_failure_t *failure) {
    const uint8_t *row = exchange->head.ptr, *end = row + exchange->head.len;
    bool failed = false;
    while (row < end && !failed) {
        const uint8_t *newline = memchr(row, '\n', (size_t)(end - row));
        const uint8_t *stop = newline == NULL ? end : newline;
        failed = begins(row, (size_t)(stop - row), "% ");
        if (failed) {
            device_string_dup_n(&failure->line, (const char *)row, (size_t)(stop - row));
            device_string_dup(&failure->kind, kind_of(row, (size_t)(stop - row)));
        }
        row = stop < end ? stop + 1 : end;
    }
    exports_jackfield_plugin_outcome_exchange_free(exchange);
    return failed;
}
