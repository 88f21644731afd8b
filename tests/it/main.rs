mod plant_thread;
