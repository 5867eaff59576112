/* What may be typed. Several policy plugins judge a line: deny, then ask, then allow; who has nothing to say abstains. */

#include "text.h"

typedef exports_jackfield_plugin_policy_request_t request_t;

/* Only what is proven to read counts as a read. */
void exports_jackfield_plugin_policy_classify(request_t *request, exports_jackfield_plugin_policy_lane_t *lane) {
    text_t command = trimmed(request->command);
    bool reads = (is(command, "show") || begins(command, "show ")) && !contains(command, "\n") && !contains(command, ">") && !contains(command, "|");
    /* `commands` stays empty: what a rule of the operator stops is asked about then. */
    *lane = (exports_jackfield_plugin_policy_lane_t){
        .lane = word(reads ? "read" : "change"),
        .rule = word(reads ? "show" : "unknown"),
        .reason = word(reads ? "`show` changes nothing" : "it is not known to change nothing"),
    };
    exports_jackfield_plugin_policy_request_free(request);
}

/* The one command that nobody wants an agent to type. */
void exports_jackfield_plugin_policy_decide(request_t *request, exports_jackfield_plugin_policy_decision_t *decision) {
    bool wipes = contains(request->command, "factory-reset");
    *decision = (exports_jackfield_plugin_policy_decision_t){
        .effect = wipes ? JACKFIELD_PLUGIN_TYPES_EFFECT_DENY : JACKFIELD_PLUGIN_TYPES_EFFECT_ABSTAIN,
        .rule = word(wipes ? "wipe" : "other"),
        .reason = word(wipes ? "it deletes the configuration; do it at the console" : "another policy plugin decides"),
    };
    exports_jackfield_plugin_policy_request_free(request);
}
