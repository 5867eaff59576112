// The suite knows no tokens: each request that Node makes gets the one of the door.
import channels from "node:diagnostics_channel";

const word = `Bearer ${process.env.DOOR_TOKEN}`;
channels.channel("undici:request:create").subscribe(({ request }) => request.addHeader("authorization", word));
channels.channel("http.client.request.created").subscribe(({ request }) => request.setHeader("authorization", word));
