use std::sync::mpsc;

use mrtd::Transport;
use tokio::runtime::Builder;

use super::*;
use crate::reader::Reader;

/// Says each command back, with how many it got since the last reset.
#[derive(Default)]
struct Echo {
    commands: u8,
}

impl Chip for Echo {
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.commands += 1;
        [command, &[0x90, self.commands]].concat()
    }

    fn reset(&mut self) {
        self.commands = 0;
    }
}

/// A chip that listens on a thread of its own; gives its address.
fn echo() -> String {
    let (address, waits) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(listener.local_addr().unwrap()).unwrap();
            answer_all(&mut Echo::default(), &listener).await;
        });
    });
    waits.recv().unwrap().to_string()
}

fn answer_to(reader: &mut Reader, command: &[u8]) -> Vec<u8> {
    reader.transmit(command).unwrap().to_vec()
}

#[test]
fn commands_of_every_length_reach_the_chip_and_its_answers_come_back() {
    let mut reader = Reader::open(&echo()).unwrap();
    for (number, length) in [(1, 4), (2, 5), (3, 261), (4, 65_533)] {
        let command = vec![0xa5; length];
        let answer = answer_to(&mut reader, &command);
        assert_eq!(answer, [&command[..], &[0x90, number]].concat());
    }
}

#[test]
fn the_next_reader_finds_a_chip_that_begins_anew() {
    let address = echo();
    for _ in 0..3 {
        let mut reader = Reader::open(&address).unwrap();
        assert_eq!(answer_to(&mut reader, &[0, 1, 2, 3])[4..], [0x90, 1]);
        assert_eq!(answer_to(&mut reader, &[0, 1, 2, 3])[4..], [0x90, 2]);
    }
}

#[test]
fn what_is_no_command_is_refused_before_it_is_sent() {
    let mut reader = Reader::open(&echo()).unwrap();
    for length in [0, 1, 3] {
        assert!(reader.transmit(&vec![0; length]).is_err());
    }
    assert_eq!(answer_to(&mut reader, &[0, 1, 2, 3])[4..], [0x90, 1]);
}

#[test]
fn a_command_too_long_for_a_message_is_an_error_and_ends_the_connection() {
    let mut reader = Reader::open(&echo()).unwrap();
    for command in [vec![0; 65_536], vec![0; 4]] {
        assert!(reader.transmit(&command).is_err());
    }
}

#[test]
fn a_chip_that_answers_too_much_or_goes_away_is_an_error() {
    let mut reader = Reader::open(&echo()).unwrap();
    // With its status the answer does not fit.
    assert!(reader.transmit(&[0; 65_534]).is_err());
    assert!(reader.transmit(&[0; 4]).is_err());
}

#[test]
fn who_hangs_up_is_no_chip_and_the_failure_says_what_to_do() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    std::thread::spawn(move || drop(other.accept().unwrap()));
    let Err(refused) = Reader::open(&address) else {
        panic!("no chip listens there");
    };
    assert_eq!(refused.id, "chip-unreachable");
    assert!(!refused.next.is_empty());
}
