// Publishes a tiny conference as swoogo-sync reads it. See ../README.md.
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { ProduceAcks, Producer, stringSerializers } from "@platformatic/kafka";
import sodium from "libsodium-wrappers";

type Json = Record<string, unknown>;

const now = (): string => new Date().toISOString();

/** Credentials that only the service can open, and only for this organization. */
async function seal(publicKey: string, consumerKey: string, consumerSecret: string, org: string): Promise<string> {
  await sodium.ready;
  const box = JSON.stringify({ consumer_key: consumerKey, consumer_secret: consumerSecret, org_id: org });
  const key = sodium.from_base64(publicKey, sodium.base64_variants.ORIGINAL);
  return sodium.to_base64(sodium.crypto_box_seal(box, key), sodium.base64_variants.ORIGINAL);
}

/** One event of one organization. */
class Publisher {
  constructor(
    private readonly producer: Producer<string, string, string, string>,
    private readonly topics: string,
    private readonly org: string,
    private readonly event: string,
  ) {}

  /** Publish one record, and wait until it is safe. */
  async send(topic: string, key: string, action: string, data: Json): Promise<void> {
    const metadata = { action, event_id: this.event, org_id: this.org, version: 1, datetime: now() };
    await this.put(topic, key, JSON.stringify({ data, metadata }));
  }

  /** A session, speaker or sponsor as it is now: always whole. */
  async record(topic: string, action: string, data: Json & { id: string }): Promise<void> {
    await this.send(topic, `${this.event}/${data.id}`, action, { ...data, updated_at: now() });
  }

  /** A null value deletes its key. */
  async delete(topic: string, id: string): Promise<void> {
    await this.put(topic, `${this.event}/${id}`, undefined);
  }

  private async put(topic: string, key: string, value: string | undefined): Promise<void> {
    await this.producer.send({ messages: [{ topic: `${this.topics}.${topic}`, key, value }], acks: ProduceAcks.ALL });
  }
}

const { values } = parseArgs({
  options: {
    kafka: { type: "string" },
    "public-key": { type: "string" },
    org: { type: "string" },
    event: { type: "string" },
    "swoogo-event": { type: "string" },
    "consumer-key": { type: "string", default: process.env.CONSUMER_KEY },
    "consumer-secret": { type: "string", default: process.env.CONSUMER_SECRET },
    topics: { type: "string", default: "sessionboard" },
  },
});

function needed(name: keyof typeof values): string {
  const value = values[name];
  if (!value) {
    console.error(`--${name} is missing`);
    process.exit(2);
  }
  return value;
}

const [org, event] = [needed("org"), needed("event")];
const producer = new Producer({
  clientId: "example-publisher",
  bootstrapBrokers: needed("kafka").split(","),
  serializers: stringSerializers,
  idempotent: true,
});
try {
  const publisher = new Publisher(producer, needed("topics"), org, event);
  const sealed = await seal(needed("public-key"), needed("consumer-key"), needed("consumer-secret"), org);
  await publisher.send("mappings", `integration/${org}`, "integration.connected", {
    org_id: org,
    credentials: { sealed },
    continuous_sync: true,
  });
  await publisher.send("mappings", `mapping/${event}`, "mapping.added", {
    event: { id: event, name: "Acme Conference", timezone: "America/Chicago" },
    swoogo_event_id: Number(needed("swoogo-event")),
    settings: {},
  });

  const starts = Date.now() + 30 * 86_400_000;
  const speaker = { id: randomUUID(), first_name: "Ada", last_name: "Example", email: "ada@example.org" };
  const session = {
    id: randomUUID(),
    title: "Scaling change streams",
    description: "<p>How we did it.</p>",
    status: "accepted",
    starts_at: new Date(starts).toISOString(),
    ends_at: new Date(starts + 45 * 60_000).toISOString(),
    room: { id: randomUUID(), name: "Hall A", capacity: 120 },
    track: {},
    speakers: [{ ...speaker, participant_role: { slug: "speaker", name: "Speaker", core_role: "speaker" } }],
  };
  const sponsor = { id: randomUUID(), name: "TechCorp", website_url: "https://acme.example", tier: "Gold" };
  await publisher.record("speakers", "contact.created", { ...speaker, title: "Engineer", company_name: "Acme" });
  await publisher.record("sessions", "session.created", session);
  await publisher.record("sponsors", "sponsor.created", sponsor);
  await publisher.record("sessions", "session.updated", { ...session, title: "Scaling change streams, live" });
  await publisher.delete("sponsors", sponsor.id);
  await publisher.send("mappings", `sync/${event}`, "sync.requested", { event: { id: event }, scope: "all" });
} finally {
  await producer.close();
}
