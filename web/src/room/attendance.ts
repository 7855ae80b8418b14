// Attendance: who is in the channel now, from presence, joins and leaves, and by which name. A name is what a connection
// published about itself on the channel of names: the server vouches for the connection, nobody for the name.

export interface Member {
  client: string;
  user: string;
}

export interface Movement {
  id: number;
  client: string;
  came: boolean;
  at: number;
}

const kNamesMax = 2000; // of those who left too: their messages still stand there
const kMovementsMax = 6;

/** Beside the channel, in its namespace, and so under its permissions. */
export const namesChannel = (channel: string) => `${channel}/names`;

export class Attendance {
  /** By client id; in the order of arrival as far as it is known. */
  members = new Map<string, Member>();
  /** Newest first. */
  movements: Movement[] = [];

  private names = new Map<string, string>();
  private asking: { member: Member; came: boolean }[] | undefined;
  private ids = 0;

  /** Presence is being asked for: what comes and goes until the answer may or may not be in it. */
  ask(): void {
    this.asking = [];
  }

  answered(members: Member[]): void {
    this.members = new Map(members.map((member) => [member.client, member]));
    for (const { member, came } of this.asking ?? []) this.apply(member, came);
    this.asking = undefined;
  }

  moved(member: Member, came: boolean, at: number): void {
    this.asking?.push({ member, came });
    if (came === this.members.has(member.client)) return; // the answer was faster
    this.apply(member, came);
    this.movements = [{ id: ++this.ids, client: member.client, came, at }, ...this.movements].slice(0, kMovementsMax);
  }

  /** The newest name counts; `older` fills in what nobody said since. */
  named(client: string, name: string, older = false): void {
    if (older && this.names.has(client)) return;
    this.names.delete(client); // to the end of the order
    this.names.set(client, name);
    if (this.names.size > kNamesMax) this.names.delete(this.names.keys().next().value!);
  }

  /** A client that said no name is called by the beginning of its id. */
  nameOf(client: string): string {
    return this.names.get(client) ?? `#${client.slice(0, 4)}`;
  }

  private apply(member: Member, came: boolean): void {
    if (came) this.members.set(member.client, member);
    else this.members.delete(member.client);
  }
}
