/* The key that turns a page. The marker fills the last row, so all of it is taken out of the output. */

#include "text.h"

bool exports_jackfield_plugin_pager_inspect(exports_jackfield_plugin_pager_view_t *view, exports_jackfield_plugin_pager_page_t *page) {
    bool more = view->echoed && hit_of(view, "more") != NULL;
    if (more) {
        page->send = word("page");
        page->strip = copy(view->tail);
    }
    exports_jackfield_plugin_pager_view_free(view);
    return more;
}
