// The words for states of sessions.

export const STATES = {
  connecting: 'connecting',
  needs_input: 'needs input',
  ready: 'ready',
  running: 'running',
  closed: 'closed',
};

/// The part of the list that a session belongs to.
export function isWaiting(session, approvals) {
  return session.state === 'needs_input' || approvals.some((approval) => approval.target === session.session);
}

/// Who may type, and who does: `[kind, short, long]`. The kind is an author's, `locked`, `stopped`, `open` or `closed`.
export function holds(session, panic) {
  const { lock } = session;
  const holder = lock.holder?.name ?? 'somebody';
  if (session.state === 'closed') return ['closed', 'closed', 'The session is closed: nothing can be typed.'];
  if (lock.typing) return ['person', `${holder} types`, `${holder} is typing. Agents wait as long as this lasts.`];
  if (panic) return ['stopped', 'agents stopped', `Agents are stopped everywhere, by ${panic}. People may type.`];
  if (lock.rule === 'people') return ['locked', 'people only', `People only, by ${holder}. Agents are refused.`];
  if (lock.rule === 'one_agent') return ['agent', `only ${holder}`, `Among agents only ${holder} may type. People may, too.`];
  if (session.running) return [session.running.by.kind, `${session.running.by.name} runs`, `A command of ${session.running.by.name} runs.`];
  return ['open', 'everyone', 'Agents and people may type.'];
}
