class Business {
  Business(this.id, this.name);

  final String id;
  final String name;
}
