//! The key that turns a page.

use jackfield_plugin::{Page, View};

/// The marker fills the last row, so all of it is taken out of the output.
pub fn inspect(view: &View) -> Option<Page> {
    view.hit("more").filter(|_| view.echoed)?;
    Some(Page { send: "page".to_owned(), strip: view.tail.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jackfield_plugin::testing::Scene;

    #[test]
    fn only_the_marker_is_answered() {
        let scene = Scene::new(include_str!("../plugin.toml"));
        assert_eq!(inspect(&scene.view("-- more --")).map(|page| page.send), Some("page".to_owned()));
        assert!(inspect(&scene.view("there is -- more --")).is_none());
    }
}
