DROP TABLE seating_charts;
