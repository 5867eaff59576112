/* `enable`: the question for the secret, once. The host types it: its value never comes here.
 *
 * The memo is one word: nothing before the question, then `given`, `wrong` or `lacking`. */

#include "text.h"

typedef exports_jackfield_plugin_dialog_dialog_report_t report_t;
typedef exports_jackfield_plugin_dialog_question_t question_t;

/* A pause that plain output with such a row does not make. */
enum { QUESTION_AFTER_MS = 3000 };

void exports_jackfield_plugin_dialog_goals(plugin_list_string_t *goals) {
    goals->ptr = malloc(sizeof *goals->ptr);
    goals->len = 1;
    goals->ptr[0] = word("enable");
}

/* Does this line start the goal? */
bool exports_jackfield_plugin_dialog_claim(plugin_string_t *command, plugin_string_t *mode, plugin_string_t *goal) {
    bool claimed = is(trimmed(*command), "enable");
    if (claimed) {
        *goal = word("enable");
    }
    plugin_string_free(command);
    plugin_string_free(mode);
    return claimed;
}

/* The question on the last row, for the caller. */
bool exports_jackfield_plugin_dialog_asking(exports_jackfield_plugin_dialog_view_t *view, question_t *question) {
    bool asks = hit_of(view, "password") != NULL;
    if (asks) {
        *question = (question_t){.kind = word("password"), .text = copy(trimmed(view->tail)), .after_ms = QUESTION_AFTER_MS};
    }
    exports_jackfield_plugin_dialog_view_free(view);
    return asks;
}

/* Names that the device has no value for stand in a fact, with commas between them. */
static bool lacks_secret(const view_t *view) {
    for (size_t at = 0; at < view->facts.len; at++) {
        if (is(view->facts.ptr[at].name, "missing-secrets")) {
            return contains(view->facts.ptr[at].value, "enable");
        }
    }
    return false;
}

static text_t at_question(const view_t *view, report_t *report) {
    text_t memo = memo_of(view);
    /* The row that was just answered stands until the device goes on. */
    if (memo.len > 0 && view->bytes_since_send < view->tail.len) {
        return memo;
    }
    report->strip = copy(view->tail);
    if (memo.len == 0 && !lacks_secret(view)) {
        report->step.tag = JACKFIELD_PLUGIN_TYPES_STEP_SECRET;
        report->step.val.secret = word("enable");
        return text_of("given");
    }
    /* Asked again, the secret was wrong. Without one, or then, the question is left. */
    report->step.tag = JACKFIELD_PLUGIN_TYPES_STEP_SEND;
    report->step.val.send = word("break");
    return text_of(memo.len == 0 ? "lacking" : "wrong");
}

static void at_prompt(const view_t *view, report_t *report) {
    text_t memo = memo_of(view);
    if (ends(trimmed(view->tail), "#") && !is(memo, "lacking")) {
        report->step.tag = JACKFIELD_PLUGIN_TYPES_STEP_DONE;
        report->step.val.done = copy(view->mode);
        return;
    }
    report->step.tag = JACKFIELD_PLUGIN_TYPES_STEP_FAILED;
    report->step.val.failed = word(is(memo, "lacking") ? "the device has no value for the secret `enable`; give it one as `secrets.enable`"
                                   : memo.len == 0     ? "the device stayed as it was"
                                                       : "the device does not accept the secret `enable`; check it before you try again");
}

void exports_jackfield_plugin_dialog_next(plugin_string_t *goal, exports_jackfield_plugin_dialog_view_t *view, report_t *report) {
    text_t memo = memo_of(view);
    *report = (report_t){.step.tag = JACKFIELD_PLUGIN_TYPES_STEP_WAIT};
    bool prompt = view->prompt.is_some && view->prompt.val.len > 0 && same(trimmed(view->tail), trimmed(view->prompt.val));
    if (view->echoed && prompt) {
        at_prompt(view, report);
    } else if (view->echoed && hit_of(view, "password") != NULL) {
        memo = at_question(view, report);
    }
    report->memo = keep(memo);
    plugin_string_free(goal);
    exports_jackfield_plugin_dialog_view_free(view);
}
