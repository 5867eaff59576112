/* Texts of the contract: bytes and their number, without a zero at the end. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "plugin.h"

typedef plugin_string_t text_t;

static inline text_t text_of(const char *word) {
    return (text_t){(uint8_t *)word, strlen(word)};
}

static inline bool same(text_t one, text_t other) {
    return one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0;
}

static inline bool is(text_t text, const char *word) {
    return same(text, text_of(word));
}

static inline bool begins(text_t text, const char *word) {
    size_t len = strlen(word);
    return text.len >= len && memcmp(text.ptr, word, len) == 0;
}

static inline bool ends(text_t text, const char *word) {
    size_t len = strlen(word);
    return text.len >= len && memcmp(text.ptr + text.len - len, word, len) == 0;
}

static inline bool contains(text_t text, const char *word) {
    for (text_t rest = text; rest.len > 0; rest.ptr++, rest.len--) {
        if (begins(rest, word)) {
            return true;
        }
    }
    return false;
}

/* Without the spaces around it. */
static inline text_t trimmed(text_t text) {
    for (; text.len > 0 && *text.ptr == ' '; text.ptr++, text.len--) {
    }
    for (; text.len > 0 && text.ptr[text.len - 1] == ' '; text.len--) {
    }
    return text;
}

/* A copy for an answer: the host has it freed. */
static inline text_t copy(text_t text) {
    text_t copied;
    plugin_string_dup_n(&copied, (const char *)text.ptr, text.len);
    return copied;
}

static inline text_t word(const char *word) {
    return copy(text_of(word));
}
%% view

typedef jackfield_plugin_types_view_t view_t;
typedef jackfield_plugin_types_hit_t hit_t;

/* What the trigger of plugin.toml matched, if it fits the last row. */
static inline const hit_t *hit_of(const view_t *view, const char *trigger) {
    for (size_t at = 0; at < view->hits.len; at++) {
        if (is(view->hits.ptr[at].trigger, trigger)) {
            return &view->hits.ptr[at];
        }
    }
    return NULL;
}

/* A named group of a trigger. */
static inline text_t group_of(const hit_t *hit, const char *name) {
    for (size_t at = 0; at < hit->captures.len; at++) {
        if (is(hit->captures.ptr[at].name, name)) {
            return hit->captures.ptr[at].value;
        }
    }
    return text_of("");
}

/* The memo as a text, and back. */
static inline text_t memo_of(const view_t *view) {
    return (text_t){view->memo.ptr, view->memo.len};
}

static inline plugin_list_u8_t keep(text_t memo) {
    text_t kept = copy(memo);
    return (plugin_list_u8_t){kept.ptr, kept.len};
}
%% end
