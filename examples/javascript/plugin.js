// A plugin for jackfield in JavaScript: which commands a site never wants, and which lines of output mean a failure.
//
// Each exported object is an interface of `wit/`, its functions and fields in camel case. A result that can fail is thrown.
// Nothing but the settings is kept between calls.

const KNOWN = ["deny", "why", "failures"];

let rules = { deny: [], why: "", failures: [] };

// Every setting is there: the host fills in the defaults of plugin.toml. What is not right is told with its place.
function patterns(settings, path, problems) {
    const lines = String(settings[path] ?? "").split("\n").filter((line) => line.trim() !== "");
    return lines.flatMap((line) => {
        try {
            return [new RegExp(line)];
        } catch (error) {
            problems.push({ path, message: `\`${line}\` is no regular expression: ${error.message}` });
            return [];
        }
    });
}

export const setup = {
    configure(json) {
        const settings = JSON.parse(json);
        const problems = Object.keys(settings).filter((key) => !KNOWN.includes(key)).map((path) => ({ path, message: "is no setting of this plugin" }));
        const read = { deny: patterns(settings, "deny", problems), why: settings.why ?? "", failures: patterns(settings, "failures", problems) };
        if (problems.length > 0) {
            throw problems;
        }
        rules = read;
    },
};

export const policy = {
    // Nothing is proven here: other policy plugins of the type may prove it.
    classify(_request) {
        return { lane: "change", rule: "site.no-proof", reason: "the site's rules prove no reads", commands: [], shortens: false };
    },

    // What they do not deny is left to the others.
    decide(request) {
        const index = rules.deny.findIndex((pattern) => pattern.test(request.command));
        if (index < 0) {
            return { effect: "abstain", rule: "site.none", reason: "" };
        }
        return { effect: "deny", rule: `site.deny-${index + 1}`, reason: rules.why };
    },
};

export const outcome = {
    judge(exchange) {
        const line = exchange.head.split("\n").find((line) => rules.failures.some((pattern) => pattern.test(line)));
        return line === undefined ? null : { line, kind: "error" };
    },
};
