/* When the device waits for the next line. The memo is the device's name as the first prompt showed it. */

#include "text.h"

typedef exports_jackfield_plugin_prompt_prompt_report_t report_t;
typedef exports_jackfield_plugin_prompt_ready_t ready_t;

/* Is it the name that was learned? */
static bool is_known(const view_t *view, text_t host) {
    return view->memo.len > 0 && same(memo_of(view), host);
}

/* The surer it is, the less silence is asked for: the known name, the first prompt, another name than the known one. */
static uint32_t silence_ms(const view_t *view, text_t host) {
    if (view->memo.len == 0) {
        return 3 * view->settle_ms;
    }
    return is_known(view, host) ? view->settle_ms : 1000 + 10 * view->settle_ms;
}

static ready_t ready(const view_t *view, text_t host, bool privileged) {
    return (ready_t){
        .prompt = copy(view->tail),
        .mode = word(privileged ? "privileged" : "exec"),
        .privileged = privileged,
        .proof = word(is_known(view, host) ? "learned" : "pattern"),
    };
}

void exports_jackfield_plugin_prompt_inspect(exports_jackfield_plugin_prompt_view_t *view, report_t *report) {
    const hit_t *privileged = hit_of(view, "privileged");
    const hit_t *hit = privileged != NULL ? privileged : hit_of(view, "user");
    text_t memo = memo_of(view);
    report->reading.tag = JACKFIELD_PLUGIN_TYPES_READING_NOT_YET;
    /* Before the echo came back, a prompt is the old one. */
    if (hit != NULL && (view->echoed || is(view->phase, "login"))) {
        text_t host = group_of(hit, "host");
        uint32_t wanted_ms = silence_ms(view, host);
        if (view->quiet_ms < wanted_ms) {
            report->reading.tag = JACKFIELD_PLUGIN_TYPES_READING_SETTLE;
            report->reading.val.settle = wanted_ms;
        } else {
            report->reading.tag = JACKFIELD_PLUGIN_TYPES_READING_READY;
            report->reading.val.ready = ready(view, host, privileged != NULL);
            memo = host;
        }
    }
    report->memo = keep(memo);
    exports_jackfield_plugin_prompt_view_free(view);
}

/* What is typed once after the login: paging off, a wide terminal. Nothing is needed here. */
void exports_jackfield_plugin_prompt_prepare(ready_t *at, exports_jackfield_plugin_prompt_view_t *view, plugin_list_string_t *sends) {
    *sends = (plugin_list_string_t){NULL, 0};
    exports_jackfield_plugin_prompt_ready_free(at);
    exports_jackfield_plugin_prompt_view_free(view);
}
