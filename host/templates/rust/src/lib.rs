//! {{name}}: glue only. The rules are plain functions in files of their own, tested natively.

use jackfield_plugin::Diagnostic;
%% prompt
use jackfield_plugin::{PromptReport, Ready};
%% end
%% pager
use jackfield_plugin::Page;
%% end
%% dialog
use jackfield_plugin::{DialogReport, Question};
%% end
%% outcome
use jackfield_plugin::{Exchange, Failure};
%% end
%% policy
use jackfield_plugin::{Decision, Lane, Request};
%% end
%% view
use jackfield_plugin::View;
%% end

%% dialog
mod dialog;
%% end
%% identify
mod identify;
%% end
%% outcome
mod outcome;
%% end
%% pager
mod pager;
%% end
%% policy
mod policy;
%% end
%% prompt
mod prompt;
%% end

struct {{struct}};

jackfield_plugin::plugin!({{struct}}: "
    package vendor:project;
    world plugin {
        include jackfield:plugin/base@0.1.0;
%% identify
        export jackfield:plugin/identify@0.1.0;
%% end
%% prompt
        export jackfield:plugin/prompt@0.1.0;
%% end
%% pager
        export jackfield:plugin/pager@0.1.0;
%% end
%% dialog
        export jackfield:plugin/dialog@0.1.0;
%% end
%% outcome
        export jackfield:plugin/outcome@0.1.0;
%% end
%% policy
        export jackfield:plugin/policy@0.1.0;
%% end
    }
");

impl bindings::setup::Guest for {{struct}} {
    /// The operator's settings. There are none yet: `[config.KEY]` in `plugin.toml` declares one, `jackfield_plugin::Settings` reads it.
    fn configure(_json: String) -> Result<(), Vec<Diagnostic>> {
        Ok(())
    }
}
%% identify

impl bindings::identify::Guest for {{struct}} {
    fn score(server_id: String, banner: String, _screen: View) -> u32 {
        identify::score(&server_id, &banner)
    }
}
%% end
%% prompt

impl bindings::prompt::Guest for {{struct}} {
    fn inspect(view: View) -> PromptReport {
        prompt::inspect(&view)
    }

    /// Sends to type once after login: paging off, a wide terminal. Nothing is needed here.
    fn prepare(_at: Ready, _view: View) -> Vec<String> {
        Vec::new()
    }
}
%% end
%% pager

impl bindings::pager::Guest for {{struct}} {
    fn inspect(view: View) -> Option<Page> {
        pager::inspect(&view)
    }
}
%% end
%% dialog

impl bindings::dialog::Guest for {{struct}} {
    fn goals() -> Vec<String> {
        vec![dialog::GOAL.to_owned()]
    }

    fn claim(command: String, _mode: String) -> Option<String> {
        dialog::claims(&command).then(|| dialog::GOAL.to_owned())
    }

    fn asking(view: View) -> Option<Question> {
        dialog::asking(&view)
    }

    fn next(_goal: String, view: View) -> DialogReport {
        dialog::next(&view)
    }
}
%% end
%% outcome

impl bindings::outcome::Guest for {{struct}} {
    fn judge(exchange: Exchange) -> Option<Failure> {
        outcome::judge(&exchange)
    }
}
%% end
%% policy

impl bindings::policy::Guest for {{struct}} {
    fn classify(request: Request) -> Lane {
        policy::classify(&request)
    }

    fn decide(request: Request) -> Decision {
        policy::decide(&request)
    }
}
%% end
