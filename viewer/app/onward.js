// A page that another site has led to goes on by itself, so that the browser sends the cookie, and keeps what the link names.
location.replace(`/${location.hash}`);
