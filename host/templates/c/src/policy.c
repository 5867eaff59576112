/* What may be typed. Several policy plugins judge a line: deny, then ask, then allow; who has nothing to say abstains. */

#include "text.h"

typedef exports_jackfield_plugin_policy_request_t request_t;

/* Only what is proven to read counts as a read. */
void exports_jackfield_plugin_policy_classify(request_t *request, exports_jackfield_plugin_policy_lane_t *lane) {
    text_t command = trimmed(request->command);
    bool reads = (is(command, "show") || begins(command, "show ")) && !contains(command, "\n") && !contains(command, ">") && !contains(command, "|");
    lane->lane = word(reads ? "read" : "change");
    lane->rule = word(reads ? "{{name}}.show" : "{{name}}.unknown");
    lane->reason = word(reads ? "`show` changes nothing" : "it is not known to change nothing");
    /* The operator's rules are matched against these: one command a line is all that is told apart here. */
    lane->commands.ptr = NULL;
    lane->commands.len = 0;
    lane->shortens = false;
    exports_jackfield_plugin_policy_request_free(request);
}

/* The one command that nobody wants an agent to type. */
void exports_jackfield_plugin_policy_decide(request_t *request, exports_jackfield_plugin_policy_decision_t *decision) {
    bool wipes = contains(request->command, "factory-reset");
    decision->effect = wipes ? JACKFIELD_PLUGIN_TYPES_EFFECT_DENY : JACKFIELD_PLUGIN_TYPES_EFFECT_ABSTAIN;
    decision->rule = word(wipes ? "{{name}}.wipe" : "{{name}}.other");
    decision->reason = word(wipes ? "it deletes the configuration; do it at the console" : "another policy plugin decides");
    exports_jackfield_plugin_policy_request_free(request);
}
