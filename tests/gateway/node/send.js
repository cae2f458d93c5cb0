// Says of a user what a product says: who they are, whose they are, and what they do.
const { Analytics } = require("@segment/analytics-node");

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, maxEventsInBatch: 100 });
const userId = "lee";
analytics.identify({ userId, traits: { name: "Lee Park", title: "CIO", email: "lee@acme.test" } });
for (let number = 0; number < 250; number++) {
  analytics.track({ userId, event: "Report Opened", properties: { number } });
}
analytics.group({ userId, groupId: "acme", traits: { name: "Acme", seats: 40 } });
analytics.page({ userId, name: "Home" });
analytics.track({
  userId,
  event: "Invoice Paid",
  properties: { subscription: "main", mrr: 900 },
});
analytics.closeAndFlush().then(() => process.exit(0));
