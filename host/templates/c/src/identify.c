/* Is it one of our devices? Nothing is typed to find out. 0 is no, 100 is certain. */

#include "text.h"

uint32_t exports_jackfield_plugin_identify_score(plugin_string_t *server_id, plugin_string_t *banner,
                                                 exports_jackfield_plugin_identify_view_t *screen) {
    uint32_t score = contains(*server_id, "-BoxOS_") ? 90 : contains(*banner, "BoxOS") ? 60 : 0;
    plugin_string_free(server_id);
    plugin_string_free(banner);
    exports_jackfield_plugin_identify_view_free(screen);
    return score;
}
