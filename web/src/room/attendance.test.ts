import { expect, it } from 'vitest';
import { Attendance, type Member } from './attendance';

const member = (client: string): Member => ({ client, user: '' });
const present = (attendance: Attendance) => [...attendance.members.keys()];

it('follows who comes and goes', () => {
  const attendance = new Attendance();
  attendance.answered([member('a')]);
  attendance.moved(member('b'), true, 1);
  attendance.moved(member('a'), false, 2);
  expect(present(attendance)).toEqual(['b']);
  expect(attendance.movements.map(({ client, came }) => [client, came])).toEqual([
    ['a', false],
    ['b', true],
  ]);
});

it('keeps what happened while it asked', () => {
  const attendance = new Attendance();
  attendance.ask();
  attendance.moved(member('late'), true, 1);
  attendance.moved(member('b'), false, 1);
  attendance.answered([member('a'), member('b')]); // taken before both
  expect(present(attendance)).toEqual(['a', 'late']);
});

it('tells no movement twice', () => {
  const attendance = new Attendance();
  attendance.answered([member('a')]);
  attendance.moved(member('a'), true, 1);
  attendance.moved(member('b'), false, 1);
  expect(attendance.movements).toEqual([]);
});

it('calls each by the newest name', () => {
  const attendance = new Attendance();
  expect(attendance.nameOf('abcdef')).toBe('#abcd');
  attendance.named('a', 'Heron');
  attendance.named('a', 'Egret', true);
  attendance.named('b', 'Ibis', true);
  expect([attendance.nameOf('a'), attendance.nameOf('b')]).toEqual(['Heron', 'Ibis']);
  attendance.named('a', 'Wren');
  expect(attendance.nameOf('a')).toBe('Wren');
});

it('forgets the oldest names', () => {
  const attendance = new Attendance();
  for (let i = 0; i < 2001; i++) attendance.named(`client ${i}`, `name ${i}`);
  expect(attendance.nameOf('client 0')).toBe('#clie');
  expect(attendance.nameOf('client 1')).toBe('name 1');
});
