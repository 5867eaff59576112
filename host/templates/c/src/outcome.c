/* Which answers are failures. What is a pattern belongs to `[[failure]]` in plugin.toml; here is what a pattern cannot say. */

#include "text.h"

/* A command that was refused says so in its first row. */
bool exports_jackfield_plugin_outcome_judge(exports_jackfield_plugin_outcome_exchange_t *exchange,
                                            exports_jackfield_plugin_outcome_failure_t *failure) {
    text_t row = exchange->head;
    for (; row.len > 0 && (*row.ptr == '\n' || *row.ptr == ' '); row.ptr++, row.len--) {
    }
    const uint8_t *end = memchr(row.ptr, '\n', row.len);
    row.len = end == NULL ? row.len : (size_t)(end - row.ptr);
    bool failed = begins(row, "error:");
    if (failed) {
        failure->line = copy(row);
        failure->kind = word("error");
    }
    exports_jackfield_plugin_outcome_exchange_free(exchange);
    return failed;
}
