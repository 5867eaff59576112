/* The operator's settings. There are none yet: `[config.KEY]` in plugin.toml declares one. */

#include "text.h"

bool exports_jackfield_plugin_setup_configure(plugin_string_t *json, exports_jackfield_plugin_setup_list_diagnostic_t *wrong) {
    (void)wrong;
    plugin_string_free(json);
    return true;
}
