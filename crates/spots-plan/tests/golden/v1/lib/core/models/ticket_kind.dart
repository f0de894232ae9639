enum TicketKind { table, club, expert }
